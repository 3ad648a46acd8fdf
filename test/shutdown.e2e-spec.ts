import { createTestDatabase, type TestDatabase } from './support/database.js';
import { issueKey, type IssuedKey, powerlessBody } from './support/keys.js';
import { type ServiceProcess, startProcess, sharedVariables } from './support/process.js';
import { sessionOf } from './support/sessions.js';
import { verify } from './support/verification.js';

const READY = '/health/ready';

let database: TestDatabase;
const start = () =>
  startProcess({
    ...sharedVariables,
    ...database.variables,
  });
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** Asks until the process is gone, and tells what it said of its readiness, and how many calls were answered. */
async function watch({ client }: ServiceProcess, key: IssuedKey): Promise<{ ready: string[]; verdicts: number }> {
  const ready: string[] = [];
  let verdicts = 0;
  try {
    for (;;) {
      const { status, body } = await client.get(READY);
      const said = status === 200 ? 'ok' : body.error.details.map(({ path }: { path: string }) => path).join();
      if (said !== ready.at(-1)) ready.push(said);
      expect((await verify(client, key)).body.data.code).toBe('VALID');
      verdicts++;
    }
  } catch (error) {
    if (!('code' in (error as Error))) throw error;
    return { ready, verdicts };
  }
}

it('says that it ends to whoever watches, answers meanwhile, keeps what it counted, and ends with 0 in ten seconds', async () => {
  const service = await start();
  const key = await issueKey(service.client, 'ann', powerlessBody);
  await verify(service.client, key);
  expect((await service.client.get(READY)).status).toBe(200);
  const watched = watch(service, key);
  const toldAt = performance.now();
  // Not by `stop()`, which would take the client's connections away
  const ended = service.end('SIGTERM');
  const { ready, verdicts } = await watched;
  expect(await ended).toBe(0);
  expect(performance.now() - toldAt).toBeLessThan(10_000);
  expect(ready.at(-1)).toBe('process');

  const again = await start();
  const { body } = await again.client.get(`/api/apiKeys/${key.id}`, sessionOf('ann'));
  expect(body.data.uses).toBe(verdicts + 1);
  process.stdout.write(`Ended while watched: ${verdicts} verdicts meanwhile, all counted\n`);
  await again.stop();
});
