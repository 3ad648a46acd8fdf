import { connect } from 'node:net';
import { range } from './support/at-once.js';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { type IssuedKey, issueKey, pairHeaders, powerlessBody } from './support/keys.js';
import { type ServiceProcess, startProcess, sharedVariables } from './support/process.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { bodyWith, documentedBody } from './support/keys.js';
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

// Production does not run on the embedded database
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

inProduction('logs in JSON who called what, with the outcome', async () => {
  const key = await callEverything();
  const lines = service.output().trim().split('\n');
  const requests = lines.map((line) => JSON.parse(line)).filter(({ context }) => context === 'Request');
  const known = {
    level: 'info',
    client_address: '127.0.0.1',
    duration_ms: expect.any(Number),
    request_id: expect.any(String),
  };
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
    key_id: key.id,
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

inDevelopment('logs as text who called what, with the outcome', async () => {
  const key = await callEverything();
  expect(service.output()).toMatch(/INFO  \[Request\] POST \/api\/apiKeys 200 \{.*principal: 'session:ann'/);
  expect(service.output()).toMatch(
    new RegExp(
      `\\[Request\\] POST /api/apiKeys/verify 200 \\{.*client_address: '127.0.0.1'.*VALID', key_id: '${key.id}'`,
    ),
  );
  expect(service.output()).toMatch(new RegExp(`GET /api/apiKeys/list 403 \\{ request_id: 'mine'.*key:${key.id}`));
});

interface Line {
  request_id: string;
  client_address?: string;
  principal?: string;
  verdict?: string;
  key_id?: string;
}

/** The log line of a call, in either format. */
async function lineOf(requestId: string): Promise<Line> {
  const found = () =>
    service
      .output()
      .split('\n')
      .find((line) => line.includes(requestId) && line.includes('duration_ms'));
  await until(() => found() !== undefined, `the line of ${requestId}`);
  const line = found() as string;
  if (onServer) return JSON.parse(line) as Line;
  const word = (name: string) => new RegExp(`${name}: '([^']*)'`).exec(line)?.[1];
  const words = ['client_address', 'principal', 'verdict', 'key_id'].map((name) => [name, word(name)] as const);
  return { request_id: requestId, ...Object.fromEntries(words.filter(([, value]) => value !== undefined)) };
}

describe('the log names authenticated callers, with the verdict, whatever the outcome', () => {
  const LIST = '/api/apiKeys/list';
  let admin: IssuedKey;
  let plain: IssuedKey;
  let revoked: IssuedKey;
  let elsewhere: IssuedKey;
  let spent: IssuedKey;
  let slow: IssuedKey;
  beforeAll(async () => {
    const issue = (limits: object, scopes = documentedBody.scopes) =>
      issueKey(service.client, 'eve', { name: 'x', scopes, limits });
    admin = await issue({});
    plain = await issueKey(service.client, 'eve', bodyWith(['data.pin_list']));
    [revoked, elsewhere] = [await issue({}), await issue({ allowed_cidrs: ['192.0.2.0/24'] })];
    [spent, slow] = [await issue({ max_uses: 1 }), await issue({ rate_limit: { requests: 1, window_seconds: 3_600 } })];
    await service.client.delete(`/api/apiKeys/${revoked.id}`, sessionOf('eve'));
    for (const key of [spent, slow]) expect((await service.client.get(LIST, pairHeaders(key))).status).toBe(200);
  });

  const AUTHORIZE = '/api/apiKeys/authorize?scope=data.pin_list';
  const key = (one: () => IssuedKey) => [() => `key:${one().id}`, () => pairHeaders(one())] as const;
  const session = [() => 'session:eve', () => sessionOf('eve')] as const;
  const gateway = [() => 'service:gateway', () => serviceHeaders] as const;
  type Case = readonly [
    string,
    string,
    string,
    number,
    string | undefined,
    readonly [() => string, () => Record<string, string>],
    unknown?,
  ];
  const cases: Case[] = [
    ['a key that lists', 'GET', LIST, 200, 'VALID', key(() => admin)],
    ['a session that lists', 'GET', LIST, 200, 'VALID', session],
    ['a key without the scope', 'GET', LIST, 403, 'INSUFFICIENT_SCOPE', key(() => plain)],
    ['a revoked key', 'GET', LIST, 401, 'REVOKED', key(() => revoked)],
    ['a key from elsewhere', 'GET', LIST, 403, 'IP_NOT_ALLOWED', key(() => elsewhere)],
    ['a key whose uses are exhausted', 'GET', LIST, 403, 'USAGE_EXCEEDED', key(() => spent)],
    ['a key over its rate', 'GET', LIST, 429, 'RATE_LIMITED', key(() => slow)],
    ['a key with a wrong query', 'GET', `${LIST}?limit=x`, 400, 'VALID', key(() => admin)],
    ['a key with a wrong body', 'POST', '/api/apiKeys', 400, 'VALID', key(() => admin), { name: '' }],
    ['a session with a wrong body', 'POST', '/api/apiKeys', 400, 'VALID', session, { name: '' }],
    ['a key that asks for another', 'GET', `/api/apiKeys/${crypto.randomUUID()}`, 404, 'VALID', key(() => admin)],
    ['a key that tests itself', 'GET', '/api/apiKeys/testAuthentication', 200, 'VALID', key(() => plain)],
    ['a key at the gateway', 'GET', AUTHORIZE, 200, 'VALID', key(() => plain)],
    ['a session at the gateway', 'GET', AUTHORIZE, 200, 'VALID', session],
    ['a revoked key at the gateway', 'GET', AUTHORIZE, 401, 'REVOKED', key(() => revoked)],
    ['a key from elsewhere at the gateway', 'GET', AUTHORIZE, 403, 'IP_NOT_ALLOWED', key(() => elsewhere)],
    ['a key whose uses are exhausted, at the gateway', 'GET', AUTHORIZE, 403, 'USAGE_EXCEEDED', key(() => spent)],
    ['a key over its rate, at the gateway', 'GET', AUTHORIZE, 429, 'RATE_LIMITED', key(() => slow)],
    [
      'a key without the scope, at the gateway',
      'GET',
      '/api/apiKeys/authorize?scope=admin',
      403,
      'INSUFFICIENT_SCOPE',
      key(() => plain),
    ],
    ['a service with a wrong body', 'POST', '/api/apiKeys/verify', 400, undefined, gateway, { api_key: 1 }],
    ['a service with a wrong query', 'POST', '/api/apiKeys/verify?x=1', 400, undefined, gateway, {}],
    ['a service with a wrong batch', 'POST', '/api/apiKeys/verify/batch', 400, undefined, gateway, { requests: [] }],
    ['a service that reads the metrics', 'GET', '/metrics', 200, undefined, gateway],
  ];

  // `Expect`, which Node answers first, keeps a request off the fast path
  describe.each([
    ['as clients send it', {}],
    ['out of the ordinary', { 'content-encoding': 'identity', expect: '100-continue' }],
  ])('%s', (_way, odd) => {
    it.each(cases.map((one) => ({ name: one[0], one })))('$name', async ({ one }) => {
      const [, method, path, status, verdict, [principal, headers], body] = one;
      const requestId = crypto.randomUUID();
      const all = { ...headers(), ...odd, 'x-request-id': requestId };
      const answer = await service.client.call(method, path, { headers: all, body });
      expect([answer.status, answer.headers['x-request-id']]).toEqual([status, requestId]);
      const line = await lineOf(requestId);
      // A caller with a key is named by it
      expect([line.principal, line.verdict, line.key_id]).toEqual([principal(), verdict, undefined]);
      expect(line.client_address).toBe('127.0.0.1');
    });

    it('a service that verifies', async () => {
      for (const [asked, verdict] of [
        [admin, 'VALID'],
        [revoked, 'REVOKED'],
      ] as const) {
        const requestId = crypto.randomUUID();
        const headers = { ...serviceHeaders, ...odd, 'x-request-id': requestId };
        await service.client.call('POST', '/api/apiKeys/verify', { headers, body: pairOf(asked) });
        const known = { client_address: '127.0.0.1', principal: 'service:gateway', verdict, key_id: asked.id };
        expect(await lineOf(requestId)).toMatchObject(known);
      }
    });
  });
});

describe('a client that disconnects before it is answered', () => {
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

  /** Repeated if the answer came first. */
  const untilLogged = (route: string, attempt: () => Promise<void>) =>
    until(async () => {
      await attempt();
      return new RegExp(`POST ${route} 499.*client_address\\W+127.0.0.1`).test(service.output());
    }, 'the line of a client that has left');

  it('is logged, once it has sent everything', async () => {
    await untilLogged('/api/apiKeys', () => leave('/api/apiKeys', sessionOf('ann'), powerlessBody));
  });

  it('is logged on the fast path, once it has sent everything', async () => {
    const keys: IssuedKey[] = [];
    for (const _ of range(20)) keys.push(await issueKey(service.client, 'ann', powerlessBody));
    // A key that is not cached takes time
    await untilLogged('/api/apiKeys/verify', () =>
      leave('/api/apiKeys/verify', serviceHeaders, pairOf(keys.pop() as IssuedKey)),
    );
  });

  it('is logged on the fast path, in the middle of its body', async () => {
    const body = { requests: [] };
    await untilLogged('/api/apiKeys/verify/batch', () => leave('/api/apiKeys/verify/batch', serviceHeaders, body, 1));
  });
});
