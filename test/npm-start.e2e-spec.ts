import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createTestDatabase, type TestDatabase } from './support/database.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it('npm start stops all the processes that it started', async () => {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...database.variables, PORT: '0' };
  const npm = spawn('npm', ['start'], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  for await (const chunk of npm.stdout) {
    output += String(chunk);
    if (output.includes('documentation at')) break;
  }
  const ended = once(npm, 'exit');
  npm.kill('SIGTERM');
  await ended;
  const [, port] = /at http:\/\/127\.0\.0\.1:(\d+)/.exec(output) ?? [];
  const attempt = connect(Number(port), '127.0.0.1');
  await expect(once(attempt, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
