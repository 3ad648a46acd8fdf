import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Database } from '../src/database/database.js';
import { withDatabaseErrors } from '../src/operations/lifecycle/database-failure.js';
import { makeCertificates } from './support/certificates.js';
import { onServer } from './support/database.js';
import { makeFolder, removeFolder } from './support/folders.js';
import { freePort } from './support/free-port.js';
import { giveToServer, PostgresServer } from './support/postgres-server.js';
import { run, sharedVariables } from './support/process.js';

if (!onServer) process.stdout.write('Skipped on the embedded database: why a start on a server fails\n');

const PASSWORD = 'apa55w0rd%40%2F';

(onServer ? describe : describe.skip)('a start on a server fails with an explanation:', () => {
  let folder: string;
  let server: PostgresServer;
  beforeAll(async () => {
    folder = makeFolder();
    const { ca } = makeCertificates(folder);
    const [cert, key, hba] = ['self-signed.pem', 'self-signed.key', 'pg_hba.conf'].map((name) => join(folder, name));
    copyFileSync(ca, cert as string);
    copyFileSync(join(folder, 'ca.key'), key as string);
    writeFileSync(
      hba as string,
      'local all all trust\nhost all postgres,free,tenant 127.0.0.1/32 trust\nhost all app 127.0.0.1/32 scram-sha-256\n',
    );
    giveToServer(folder);
    server = await PostgresServer.start([
      'ssl=on',
      `ssl_cert_file=${cert}`,
      `ssl_key_file=${key}`,
      `hba_file=${hba}`,
      'fsync=off',
    ]);
    await server.query(`CREATE ROLE app LOGIN PASSWORD 'else'`);
    await server.query('CREATE ROLE free LOGIN');
    await server.query('CREATE ROLE tenant LOGIN');
    await server.query('CREATE SCHEMA tenant');
    await server.query('GRANT USAGE ON SCHEMA tenant TO tenant');
    await server.query('ALTER ROLE tenant SET search_path = tenant');
  });
  afterAll(async () => {
    await server.stop();
    removeFolder(folder);
  });

  /** The message for a URL, and the output before it. */
  async function failureOf(user: string, path = '/postgres', host = `127.0.0.1:${server.listensAt}`) {
    const location = { url: `postgres://${user}@${host}${path}` };
    const named: string[] = [];
    const start = withDatabaseErrors(
      location,
      () => Database.open(location),
      ({ message }) => named.push(message),
    );
    const failure = await start.then(
      () => 'none',
      ({ message }: Error) => message,
    );
    const name = host.includes(':') ? host : `${host}:5432`;
    const [database] = path.slice(1).split('?');
    expect(named).toEqual([`Database: ${name}/${database}`]);
    expect(failure).not.toMatch(/apa55|w0rd/);
    return failure.replace(`DATABASE_URL (${name}/${database}): `, '');
  }

  it.each<[string, ...Parameters<typeof failureOf>]>([
    ['wrong password (or no role app)', `app:${PASSWORD}`],
    ['a password is required but not set', 'app'],
    ['the database does not exist', 'free', '/nonexistent'],
    ['role free may not create tables in schema public (GRANT USAGE, CREATE ON SCHEMA public TO free)', 'free'],
    ['role tenant may not create tables in schema tenant (GRANT USAGE, CREATE ON SCHEMA tenant TO tenant)', 'tenant'],
    ['TLS: self-signed certificate (see docs/operations.md)', `free:${PASSWORD}`, '/postgres?sslmode=verify-full'],
    ['unknown host', `free:${PASSWORD}`, '/postgres', 'nowhere.invalid'],
  ])('%s', async (words, ...at) => {
    expect(await failureOf(...at)).toBe(words);
  });

  it('connection refused', async () => {
    expect(await failureOf(`free:${PASSWORD}`, '/postgres', `127.0.0.1:${await freePort()}`)).toBe(
      'connection refused',
    );
  });

  it('a login that pg_hba.conf refuses, in the server’s words', async () => {
    expect(await failureOf(`somebody:${PASSWORD}`)).toMatch(
      /^no pg_hba.conf entry for host "127.0.0.1", user "somebody"/,
    );
  });

  it('and in production as one JSON line without a stack, after one for a misspelt name', async () => {
    const url = `postgres://app:${PASSWORD}@127.0.0.1:${server.listensAt}/postgres`;
    const { code, stdout, stderr } = await run(['dist/main.js'], {
      ...sharedVariables,
      NODE_ENV: 'production',
      DATABASE_URL: url,
      REDIS_URI: `redis://:${PASSWORD}@localhost`,
    });
    const name = `127.0.0.1:${server.listensAt}/postgres`;
    const lines = stderr
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as object);
    expect([code, stdout]).toEqual([1, '']);
    const message = `DATABASE_URL (${name}): wrong password (or no role app)`;
    const common = { pid: expect.any(Number), timestamp: expect.any(Number) };
    const misspelt = 'REDIS_URI is not a variable of this service; REDIS_URL was probably meant';
    expect(lines).toEqual([
      { ...common, level: 'warn', context: 'Configuration', message: misspelt },
      { ...common, level: 'info', context: 'Database', message: `Database: ${name}` },
      { ...common, level: 'error', context: 'Process', message },
    ]);
  });
});
