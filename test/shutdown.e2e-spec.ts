import { connect } from 'node:net';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { issueKey, type IssuedKey, powerlessBody } from './support/keys.js';
import { metricOf } from './support/metrics.js';
import { type ServiceProcess, startProcess, sharedVariables } from './support/process.js';
import { startProxy } from './support/proxy.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
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

/** Asks until the process has exited. @returns its readiness over time, and how many calls were answered */
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

it('reports not ready, still answers, keeps its counts, and exits with 0 within ten seconds', async () => {
  const service = await start();
  const key = await issueKey(service.client, 'ann', powerlessBody);
  await verify(service.client, key);
  expect((await service.client.get(READY)).status).toBe(200);
  const watched = watch(service, key);
  const toldAt = performance.now();
  // Not by `stop()`, which would close the client's connections
  const ended = service.end('SIGTERM');
  const { ready, verdicts } = await watched;
  expect(await ended).toBe(0);
  expect(performance.now() - toldAt).toBeLessThan(10_000);
  expect(ready.at(-1)).toBe('process');
  expect(service.output()).toMatch(/Service\W.*SIGTERM: draining, \d+ requests? in flight\./);
  expect(service.output()).toMatch(/Shut down: everything is written\.\s*$/);

  const again = await start();
  const { body } = await again.client.get(`/api/apiKeys/${key.id}`, sessionOf('ann'));
  expect(body.data.uses).toBe(verdicts + 1);
  process.stdout.write(`Shut down under load: ${verdicts} verdicts in the meantime, all counted\n`);
  await again.stop();
});

/** Only where the database can become unavailable; the embedded one is in the process. */
async function behindProxy() {
  if (!onServer) return { variables: database.variables, cut: async () => {} };
  const url = new URL(database.variables.DATABASE_URL as string);
  const proxy = await startProxy(url.hostname, Number(url.port || 5432));
  url.port = String(proxy.port);
  return { variables: { ...database.variables, DATABASE_URL: url.href }, cut: () => proxy.cut() };
}

it('logs which requests were in flight, that one was cut off, and what was lost', async () => {
  const { variables, cut } = await behindProxy();
  const service = await startProcess({ ...sharedVariables, ...variables });
  const key = await issueKey(service.client, 'ann', powerlessBody);
  await verify(service.client, key);
  const { hostname, port } = new URL(service.client.url);
  const socket = connect(Number(port), hostname).on('error', () => undefined);
  const head =
    'POST /api/apiKeys/report-leak HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{';
  socket.write(head);
  const unfinished = 'w3ipfs_keys_unfinished_body_bytes{sender="clients"}';
  await until(async () => (await metricOf(service.client, unfinished)) > 0, 'the request to be in flight');
  await cut();
  for (const _ of [1, 2]) expect((await verify(service.client, key)).body.data.code).toBe('VALID');

  expect(await service.stop()).toBe(0);
  expect(service.output()).toContain('SIGTERM: draining, 1 request in flight.');
  const cutOff = ' 1 request timed out without an answer.';
  if (onServer) expect(service.output()).toMatch(/Shut down: lost [23] uses of keys without max_uses, [23] verdicts/);
  else expect(service.output()).toContain('Shut down: everything is written.');
  expect(service.output()).toContain(cutOff);
});
