import { connect } from 'node:net';
import { range } from './support/at-once.js';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { type IssuedKey, issueKey, pairHeaders, powerlessBody } from './support/keys.js';
import { type ServiceProcess, startProcess, sharedVariables } from './support/process.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { pairOf, serviceHeaders, serviceVariables, verify } from './support/verification.js';

let database: TestDatabase;
let service: ServiceProcess;
beforeAll(async () => {
  database = await createTestDatabase();
  service = await startProcess({
    ...database.variables,
    ...serviceVariables,
    ...(onServer && { NODE_ENV: 'production' }),
    ...sharedVariables,
    LOG_LEVEL: 'debug',
  });
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});

// Production is not production on an embedded database
const inProduction = onServer ? it : it.skip;
const inDevelopment = onServer ? it.skip : it;

async function callEverything() {
  const key = await issueKey(service.client, 'ann', powerlessBody);
  await verify(service.client, key);
  await service.client.get('/api/apiKeys/list', { ...pairHeaders(key), 'x-request-id': 'mine' });
  await service.client.get('/api/apiKeys/authorize?scope=admin', pairHeaders(key));
  await service.client.get('/api/apiKeys/list');
  await until(() => service.output().includes('/api/apiKeys/list 401'), 'the last line');
  return key;
}

inProduction('tells in JSON who called what, and what came of it', async () => {
  const key = await callEverything();
  const lines = service.output().trim().split('\n');
  const requests = lines.map((line) => JSON.parse(line)).filter(({ context }) => context === 'Request');
  const known = { level: 'log', duration_ms: expect.any(Number), request_id: expect.any(String) };
  const [issued, verified, listed, authorized, refused] = requests;
  expect(issued).toMatchObject({
    ...known,
    principal: 'session:ann',
    method: 'POST',
    route: '/api/apiKeys',
    status: 200,
  });
  expect(verified).toMatchObject({
    ...known,
    principal: 'service:gateway',
    route: '/api/apiKeys/verify',
    verdict: 'VALID',
  });
  expect(listed).toMatchObject({
    principal: `key:${key.id}`,
    status: 403,
    error: 'insufficient_scope',
    request_id: 'mine',
  });
  expect(authorized).toMatchObject({ route: '/api/apiKeys/authorize', status: 403, error: 'insufficient_scope' });
  expect(refused).toMatchObject({ status: 401, error: 'unauthenticated', verdict: 'INVALID_CREDENTIALS' });
  expect(refused.principal).toBeUndefined();
});

inDevelopment('tells in words who called what, and what came of it', async () => {
  const key = await callEverything();
  expect(service.output()).toMatch(/LOG \[Request\] POST \/api\/apiKeys 200 \{.*principal: 'session:ann'/);
  expect(service.output()).toMatch(/\[Request\] POST \/api\/apiKeys\/verify 200 \{.*verdict: 'VALID'/);
  expect(service.output()).toMatch(new RegExp(`GET /api/apiKeys/list 403 \\{ request_id: 'mine'.*key:${key.id}`));
});

describe('a client that leaves before it is answered', () => {
  const leave = async (path: string, headers: Record<string, string>, body: object, left = 0) => {
    const { hostname, port } = new URL(service.client.url);
    const text = JSON.stringify(body);
    const lines = Object.entries({ ...headers, host: 'x', 'content-type': 'application/json' });
    const head = [`POST ${path} HTTP/1.1`, ...lines.map((line) => line.join(': ')), `content-length: ${text.length}`];
    const socket = connect(Number(port), hostname);
    const sent = `${head.join('\r\n')}\r\n\r\n${text.slice(0, text.length - left)}`;
    await new Promise<void>((resolve) => socket.write(sent, () => resolve()));
    socket.destroy();
  };

  /** Tried again where the answer was faster. */
  const untilTold = (route: string, attempt: () => Promise<void>) =>
    until(async () => {
      await attempt();
      return service.output().includes(`POST ${route} 499`);
    }, 'the line of a client that has left');

  it('is told of, once it has sent all', async () => {
    await untilTold('/api/apiKeys', () => leave('/api/apiKeys', sessionOf('ann'), powerlessBody));
  });

  it('is told of on the direct way, where it has sent all', async () => {
    const keys: IssuedKey[] = [];
    for (const _ of range(20)) keys.push(await issueKey(service.client, 'ann', powerlessBody));
    // A key that is not known yet takes time
    await untilTold('/api/apiKeys/verify', () =>
      leave('/api/apiKeys/verify', serviceHeaders, pairOf(keys.pop() as IssuedKey)),
    );
  });

  it('is told of on the direct way, in the middle of its body', async () => {
    const body = { requests: [] };
    await untilTold('/api/apiKeys/verify/batch', () => leave('/api/apiKeys/verify/batch', serviceHeaders, body, 1));
  });
});
