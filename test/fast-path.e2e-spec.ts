import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import fc from 'fast-check';
import { createApp } from '../src/app.js';
import { loadEnvironment } from '../src/configuration.js';
import { type Answer, type CallOptions, Client } from './support/client.js';
import { TestClock } from './support/clock.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { bearerOf, bodyWith, documentedBody, type IssuedKey, issueKey, pairHeaders } from './support/keys.js';
import { KeptLog } from './support/log.js';
import { accountService, sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { pairOf, serviceHeaders, serviceVariables } from './support/verification.js';

const VERIFY = '/api/apiKeys/verify';
const BATCH = '/api/apiKeys/verify/batch';
const AUTHORIZE = '/api/apiKeys/authorize';
const AT = '/api/apiKeys/authorize/at';
const CHANGES = '/api/apiKeys/changes';
const MAX_BODY = 65_536;

/** What differs between two databases, and from moment to moment. */
const POSITIONS = /"(epoch|position|age_ms|held_ms)":(?:"[^"]*"|\d+)/;

/** The same service with and without the fast path. */
class Door {
  readonly client: Client;
  private keys: Record<KeyKind, IssuedKey>;

  constructor(
    readonly app: NestFastifyApplication,
    url: string,
  ) {
    this.client = new Client(url);
  }

  async issueKeys(): Promise<void> {
    const entries: [string, IssuedKey][] = [];
    for (const [kind, body] of Object.entries(KEYS)) entries.push([kind, await issueKey(this.client, 'ann', body)]);
    this.keys = Object.fromEntries(entries) as Record<KeyKind, IssuedKey>;
    const { revoked, disabled } = this.keys;
    await this.client.delete(`/api/apiKeys/${revoked.id}`, sessionOf('ann'));
    await this.client.call('PATCH', `/api/apiKeys/${disabled.id}`, {
      headers: sessionOf('ann'),
      body: { enabled: false },
    });
  }

  async send({ method, path, options }: Case, id: string): Promise<unknown> {
    const { headers = {}, body } = options(this.keys);
    const answer = await this.client.call(method, path, { headers: { ...headers, 'x-request-id': id }, body });
    await until(() => logged.has(id), `the log line of ${id}`);
    return { ...this.comparable(answer, path), log: this.neutral(JSON.stringify(logged.get(id))) };
  }

  /** Verdicts and requests, as counted. */
  async counts(): Promise<string[]> {
    const { text } = await this.client.get('/metrics', serviceHeaders);
    const ofBoth = /^w3ipfs_keys_(?:verdicts_total|http_request_duration_seconds_count)\{.*(?:code=|verify|authorize)/;
    return text.split('\n').filter((line) => ofBoth.test(line));
  }

  private comparable({ status, headers, text }: Answer, path: string): object {
    const { date: _, 'content-length': length, ...rest } = headers;
    // Without a body, a HEAD has the length of one
    const mayDiffer = POSITIONS.test(text) || (text === '' && path.startsWith(CHANGES));
    if (!mayDiffer) rest['content-length'] = length;
    return { status, headers: JSON.parse(this.neutral(JSON.stringify(rest))) as object, text: this.neutral(text) };
  }

  /** Without what differs between the keys of two doors. */
  private neutral(text: string): string {
    return Object.entries(this.keys).reduce(
      (left, [kind, key]) => left.replaceAll(key.id, `<${kind}>`).replaceAll(key.api_key, `<${kind} key>`),
      text.replaceAll(new RegExp(POSITIONS, 'g'), '"$1":0'),
    );
  }
}

const inAnHour = () => new Date(clock.time + 3_600_000).toISOString();
const clock = new TestClock();
const KEYS = {
  admin: documentedBody,
  unpin: bodyWith(['pinning.unpin']),
  revoked: documentedBody,
  disabled: documentedBody,
  pending: { ...documentedBody, limits: { not_before: inAnHour() } },
  fenced: { ...documentedBody, limits: { allowed_cidrs: ['192.0.2.0/24'] } },
  rated: { ...documentedBody, limits: { rate_limit: { requests: 3, window_seconds: 60 } } },
  counted: { ...documentedBody, limits: { max_uses: 3 } },
  expiring: { ...documentedBody, limits: { expires_at: inAnHour() }, name: 'ключ "é"' },
};
type KeyKind = keyof typeof KEYS;
type Keys = Record<KeyKind, IssuedKey>;

interface Case {
  name: string;
  method: string;
  path: string;
  options: (keys: Keys) => CallOptions;
}

const logged = new Map<string, object>();

/** Keeps the fields of request lines. */
class RequestLines extends KeptLog {
  override log = (...message: unknown[]): void => {
    this.keep('log', message);
    const fields = message.find((part) => typeof part === 'object' && part !== null && 'request_id' in part);
    if (!fields) return;
    const { duration_ms: _, ...rest } = fields as { duration_ms: number; request_id: string };
    logged.set(rest.request_id, rest);
  };
}

let database: TestDatabase;
let doors: [fast: Door, ordinary: Door];

beforeAll(async () => {
  database = await createTestDatabase();
  const environment = loadEnvironment({
    ...database.variables,
    ...serviceVariables,
    JWT_PUBLIC_KEY: accountService.publicKey,
    MANAGEMENT_RATE_LIMIT: '1000000',
    LOG_LEVEL: 'debug',
  });
  const open = async (fastPath: boolean, location: TestDatabase) => {
    const variables = { ...environment, database: loadEnvironment(location.variables).database };
    const app = await createApp(variables, { clock, logger: new RequestLines(), fastPath });
    await app.listen(0, '127.0.0.1');
    const door = new Door(app, await app.getUrl());
    await door.issueKeys();
    return door;
  };
  other = await createTestDatabase();
  doors = [await open(true, database), await open(false, other)];
});

let other: TestDatabase;

afterAll(async () => {
  for (const { app, client } of doors) {
    client.close();
    await app.close();
  }
  await database.drop();
  await other.drop();
});

let sent = 0;

async function expectSame(one: Case): Promise<void> {
  const id = `case-${++sent}`;
  const fast = await doors[0].send(one, id);
  logged.delete(id);
  expect(fast).toEqual(await doors[1].send(one, id));
}

const service = (keys: Keys, kind: KeyKind, more: object = {}): CallOptions => ({
  headers: serviceHeaders,
  body: { ...pairOf(keys[kind]), ...more },
});

function post(name: string, path: string, options: Case['options']): Case {
  return { name, method: 'POST', path, options };
}

function raw(name: string, path: string, body: unknown, headers: Record<string, string | string[]> = {}): Case {
  return post(name, path, () => ({ headers: { ...serviceHeaders, ...headers }, body }));
}

const KINDS = Object.keys(KEYS) as KeyKind[];
const BODIES: [string, unknown][] = [
  ['no body', undefined],
  ['an empty object', {}],
  ['a list', []],
  ['null', 'null'],
  ['broken JSON', '{"api_key": '],
  ['no UTF-8', Buffer.from('{"api_key":"\xff"}', 'latin1')],
  ['a member twice', '{"cost":1,"cost":2}'],
  ['a reserved name', '{"__proto__":{}}'],
  ['too deep', `${'{"a":'.repeat(9)}1${'}'.repeat(9)}`],
  ['unknown members', { apikey: 1, scopes: [], requests: {} }],
  ['wrong types', { api_key: 1, secret_key: [], scope: 'none', ip: 'x', cost: -1 }],
  ['half a pair', { api_key: 'w3k_x' }],
  ['both forms', { api_key: 'a', secret_key: 'b', credential: 'a.b' }],
  ['a made-up pair', { credential: `w3k_${'a'.repeat(20)}.w3s_${'b'.repeat(40)}` }],
  ['too large', `{"a":"${'x'.repeat(MAX_BODY)}"}`],
  ['as large as possible', `{"a":"${'x'.repeat(MAX_BODY - 8)}"}`],
  ['an empty batch', { requests: [] }],
  ['101 requests', { requests: Array.from({ length: 101 }, () => ({})) }],
  ['bad requests', { requests: [1, null, {}, { api_key: 'a', secret_key: 'b', scope: ['pinning.unpi'] }] }],
];

const cases: Case[] = [
  ...KINDS.map((kind) => post(`verify ${kind}`, VERIFY, (keys) => service(keys, kind))),
  ...KINDS.map((kind) => post(`verify ${kind} for a scope`, VERIFY, (keys) => service(keys, kind, { scope: 'admin' }))),
  ...KINDS.map((kind) =>
    post(`verify ${kind} from an address`, VERIFY, (keys) => service(keys, kind, { ip: '192.0.2.7', cost: 2 })),
  ),
  ...KINDS.map((kind) =>
    post(`verify ${kind} for a guard`, VERIFY, (keys) =>
      service(keys, kind, { ip: '192.0.2.7', cost: 0, grant: true }),
    ),
  ),
  post('verify all for a guard, in a batch', BATCH, (keys) => ({
    headers: serviceHeaders,
    body: { requests: KINDS.map((kind) => ({ ...pairOf(keys[kind]), cost: 0, grant: true })) },
  })),
  ...KINDS.map((kind) =>
    post(`verify the secret of ${kind} for another key`, VERIFY, (keys) =>
      service(keys, kind, { api_key: keys.admin.api_key }),
    ),
  ),
  post('verify all in a batch', BATCH, (keys) => ({
    headers: serviceHeaders,
    body: { requests: KINDS.map((kind) => ({ ...pairOf(keys[kind]), cost: kind === 'rated' ? 1 : 0 })) },
  })),
  ...[VERIFY, BATCH].flatMap((path) => BODIES.map(([name, body]) => raw(`${path} with ${name}`, path, body))),
  ...[VERIFY, BATCH].flatMap((path) => [
    raw(`${path} as text`, path, '{}', { 'content-type': 'text/plain' }),
    raw(`${path} in another charset`, path, '{}', { 'content-type': 'application/json; charset=latin1' }),
    raw(`${path} compressed`, path, '{}', { 'content-encoding': 'gzip' }),
    raw(`${path} with a repeated header`, path, {}, { 'x-noop': ['1', '2'] }),
    raw(`${path} with two tokens`, path, {}, { authorization: ['Bearer a', 'Bearer b'] }),
    raw(`${path} without a token`, path, {}, { authorization: '' }),
    raw(`${path} with a wrong token`, path, '{', { authorization: `Bearer ${'x'.repeat(40)}` }),
    raw(`${path} with a session`, path, {}, sessionOf('ann')),
    raw(`${path} with a query`, `${path}?a=1&b`, {}),
    raw(`${path} with a slash`, `${path}/`, {}),
    raw(`${path} in capitals`, path.toUpperCase(), {}),
    raw(`${path} below`, `${path}/x`, {}),
    { name: `GET ${path}`, method: 'GET', path, options: () => ({ headers: serviceHeaders }) },
  ]),
  ...KINDS.flatMap((kind) => [
    authorize(`${kind} for a scope`, '?scope=pinning.unpin', (keys) => pairHeaders(keys[kind])),
    authorize(`${kind} for a scope, denied as 403`, '?scope=admin&deny=403', (keys) => pairHeaders(keys[kind])),
    authorize(`${kind} for a route`, '', (keys) => ({ ...pairHeaders(keys[kind]), ...original('/api/pinning/pins') })),
    authorize(`${kind} for an unlisted route`, '', (keys) => ({ ...pairHeaders(keys[kind]), ...original('/api/x') })),
    authorize(`${kind} for a path that is not plain`, '', (keys) => ({
      ...pairHeaders(keys[kind]),
      ...original('/api/%2e%2e/x'),
    })),
    at(kind, 'GET', '/api/pinning/pins?limit=5', (keys) => pairHeaders(keys[kind])),
    at(`${kind}, with a body`, 'POST', '/api/pinning', (keys) => ({
      authorization: bearerOf(keys[kind]),
      'content-type': 'multipart/form-data',
    })),
  ]),
  changes('the present position', '', serviceHeaders),
  changes('a position of long ago', '?since=1', serviceHeaders),
  changes('a position of another epoch', '?since=1&epoch=x&wait_ms=1000', serviceHeaders),
  changes('a broken query', '?since=x&wait_ms=1001&more=1&more=2', serviceHeaders),
  changes('nothing presented', '', {}),
  changes('a session', '?since=x', sessionOf('ann')),
  changes('a repeated header', '', { ...serviceHeaders, 'x-noop': ['1', '2'] }),
  { name: 'POST changes', method: 'POST', path: CHANGES, options: () => ({ headers: serviceHeaders, body: {} }) },
  authorize('a session', '?scope=admin', () => sessionOf('ann')),
  authorize('a session for a closed route', '', () => ({ ...sessionOf('ann'), ...original('//') })),
  authorize('nothing presented', '?scope=admin', () => ({})),
  authorize('nothing asked', '', () => sessionOf('ann')),
  authorize('an unknown scope', '?scope=pinning.unpi', () => sessionOf('ann')),
  authorize('an unknown parameter', '?scop=admin&deny=1', () => sessionOf('ann')),
  authorize("the client's own query", '?scope=data.pin_list', () => original('/api/x?scope=data.pin_list')),
  authorize('two ways at once', '?scope=admin', (keys) => ({ ...pairHeaders(keys.admin), ...sessionOf('ann') })),
  authorize('a false token', '?scope=admin', () => ({ authorization: 'Bearer a.b.c' })),
  at('nothing presented', 'DELETE', '/api/pinning/unpin/1', () => ({})),
  at('dot segments', 'GET', '/api/../x', (keys) => pairHeaders(keys.admin)),
  at('no path', 'GET', '', (keys) => pairHeaders(keys.admin)),
];

function authorize(name: string, query: string, headers: (keys: Keys) => Record<string, string>): Case {
  const options = (keys: Keys) => ({ headers: headers(keys) });
  return { name: `authorize ${name}`, method: 'GET', path: AUTHORIZE + query, options };
}

function at(name: string, method: string, path: string, headers: (keys: Keys) => Record<string, string>): Case {
  const options = (keys: Keys) => ({ headers: headers(keys), ...(method === 'POST' && { body: 'no JSON' }) });
  return { name: `authorize at ${method} ${path} ${name}`, method, path: AT + path, options };
}

function changes(name: string, query: string, headers: Record<string, string | string[]>): Case {
  return { name: `changes: ${name}`, method: 'GET', path: CHANGES + query, options: () => ({ headers }) };
}

function original(uri: string, method = 'GET') {
  return { 'x-original-method': method, 'x-original-uri': uri };
}

it.each(cases)('$name: the same through both doors', expectSame);

it('a thousand requests put together at random get the same through both doors', async () => {
  const tokens = [serviceHeaders, {}, { authorization: 'Bearer x' }, sessionOf('ann')];
  const heads = [
    {},
    { 'content-type': 'text/plain' },
    { 'x-noop': ['1', '2'] },
    original('/api/nft/nfts'),
    original('/x'),
  ];
  const queries = ['', '?', '?scope=admin', '?scope=pinning.unpin,admin', '?deny=403', '?scope=&scope=', '?a=%ff'];
  const paths = [VERIFY, BATCH, AUTHORIZE, CHANGES, `${AT}/api/nft/1`, `${VERIFY}/`, `${AT}/`];
  const presented = (keys: Keys, kind: KeyKind) => [
    {},
    pairHeaders(keys[kind]),
    { authorization: bearerOf(keys[kind]) },
  ];
  const members = fc.record(
    {
      scope: fc.oneof(fc.constantFrom('admin', 'pinning.unpin', 'x'), fc.array(fc.constantFrom('admin', 1, 'data'))),
      ip: fc.constantFrom('192.0.2.1', '::1', 'x', 7),
      cost: fc.oneof(fc.integer({ min: -1, max: 4 }), fc.constant('1')),
      more: fc.jsonValue({ maxDepth: 2 }),
    },
    { requiredKeys: [] },
  );
  const request = fc.record({
    method: fc.constantFrom('POST', 'POST', 'GET', 'HEAD', 'PUT'),
    path: fc.constantFrom(...paths),
    query: fc.constantFrom(...queries),
    token: fc.constantFrom(...tokens),
    head: fc.constantFrom(...heads),
    kind: fc.constantFrom(...KINDS),
    way: fc.nat(2),
    body: fc.oneof(members, fc.constantFrom(...BODIES.map(([, body]) => body)), fc.array(members, { maxLength: 3 })),
  });
  for (const one of fc.sample(request, { numRuns: 1_000, seed: 7 })) {
    const { method, path, query, token, head, kind, way, body } = one;
    const asked = (keys: Keys) => {
      if (Array.isArray(body)) return { requests: body.map((each) => ({ ...pairOf(keys[kind]), ...each })) };
      if (typeof body !== 'object' || body === null || body instanceof Buffer) return body;
      const { more, ...rest } = body as { more?: unknown };
      return more === undefined ? { ...pairOf(keys[kind]), ...rest } : body;
    };
    const hasBody = method === 'POST' || method === 'PUT';
    await expectSame({
      name: 'at random',
      method,
      path: path + query,
      options: (keys) => ({
        headers: { ...token, ...presented(keys, kind)[way], ...head },
        ...(hasBody && { body: asked(keys) }),
      }),
    });
  }
});

it('counts the same through both doors', async () => {
  const [fast, ordinary] = [await doors[0].counts(), await doors[1].counts()];
  expect(fast.length).toBeGreaterThan(10);
  expect(fast.toSorted()).toEqual(ordinary.toSorted());
});
