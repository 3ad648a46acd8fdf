import type { Answer, CallOptions, Client } from './support/client.js';
import { basicOf, bearerOf, bodyWith, documentedBody, type IssuedKey, issueKey, pairHeaders } from './support/keys.js';
import { exchange } from './support/raw-exchange.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { type SidecarProcess, sidecarVariables, startSidecar } from './support/sidecar-process.js';
import { pairOf, serviceHeaders, serviceVariables } from './support/verification.js';

const AUTHORIZE = '/api/apiKeys/authorize';
const VERIFY = '/api/apiKeys/verify';
const TRUSTED = { TRUSTED_PROXIES: '127.0.0.1' };
const LIMITS = { name: 'bound', limits: { allowed_cidrs: ['198.51.100.0/24'] } };

const service = useService({ ...serviceVariables, ...TRUSTED });
let sidecar: SidecarProcess;
const keys = {} as Record<'admin' | 'narrow' | 'bound' | 'disabled' | 'revoked', IssuedKey>;

beforeAll(async () => {
  const { client } = service;
  sidecar = await startSidecar({ ...sidecarVariables(client.url), ...TRUSTED });
  keys.admin = await issueKey(client, 'älice "& co"', { ...documentedBody, name: 'näme "\\' });
  keys.narrow = await issueKey(client, 'ann', bodyWith(['data.pin_list', 'pinning.unpin']));
  keys.bound = await issueKey(client, 'ann', bodyWith(['data.pin_list'], LIMITS));
  keys.disabled = await issueKey(client, 'ann', bodyWith(['data.pin_list']));
  await client.call('PATCH', `/api/apiKeys/${keys.disabled.id}`, {
    headers: sessionOf('ann'),
    body: { enabled: false },
  });
  keys.revoked = await issueKey(client, 'ann', bodyWith([]));
  await client.delete(`/api/apiKeys/${keys.revoked.id}`, sessionOf('ann'));
});
afterAll(() => sidecar.stop());

/** Headers and a member that differ from one answer to the next, or with the connection. */
const VARYING = new Set(['x-request-id', 'date', 'connection', 'keep-alive']);

function comparable({ status, headers, text }: Answer) {
  const steady = Object.entries(headers).filter(([name]) => !VARYING.has(name));
  return { status, headers: Object.fromEntries(steady), text: withoutId(text) };
}

/** Asks the service once and the sidecar twice: the second time, it may decide by itself. */
async function expectSame(call: (client: Client) => Promise<Answer>): Promise<Answer> {
  const expected = await call(service.client);
  for (let times = 0; times < 2; times++) expect(comparable(await call(sidecar.client))).toEqual(comparable(expected));
  return expected;
}

type Verify = [what: string, body: () => unknown, headers?: CallOptions['headers']];

const pair = (name: keyof typeof keys, more: object = {}) => ({ ...pairOf(keys[name]), ...more });

it.each<Verify>([
  ['an admin key', () => pair('admin')],
  ['a key with two scopes, one of them needed', () => pair('narrow', { scope: 'pinning.unpin' })],
  ['both scopes of a key', () => pair('narrow', { scope: ['pinning.unpin', 'data.pin_list'] })],
  ['a scope that a key lacks', () => pair('narrow', { scope: 'admin' })],
  ['a bound key from its network', () => pair('bound', { ip: '198.51.100.7' })],
  ['a bound key from elsewhere', () => pair('bound', { ip: '203.0.113.7' })],
  ['a bound key from an unknown address', () => pair('bound')],
  ['a disabled key', () => pair('disabled')],
  ['a revoked key', () => pair('revoked')],
  ['a wrong secret', () => pair('narrow', { secret_key: keys.admin.secret_key })],
  ['a pair of no shape', () => ({ api_key: 'a', secret_key: 'b' })],
  ['a credential', () => ({ credential: bearerOf(keys.narrow).slice('Bearer '.length) })],
  ['a cost of 0', () => pair('narrow', { cost: 0 })],
  ['no body', () => undefined],
  ['a body that is not JSON', () => '{"api_key":'],
  ['a list', () => []],
  ['a duplicate name', () => '{"api_key":"a","api_key":"b","secret_key":"c"}'],
  ['many mistakes', () => ({ api_key: 1, scope: 'pinning.unpinn', ip: 'here', cost: -1, secret: 'x' })],
  ['another type', () => 'a=b', { ...serviceHeaders, 'content-type': 'text/plain' }],
  ['a body that is too large', () => ({ api_key: 'a'.repeat(70_000) })],
  ['an unknown token', () => pair('narrow'), { authorization: `Bearer ${'x'.repeat(32)}` }],
  ['no token', () => pair('narrow'), {}],
  ['two tokens', () => pair('narrow'), { authorization: [serviceHeaders.authorization, 'Bearer x'] }],
])('verifies %s as the service does', async (_, body, headers = serviceHeaders) => {
  await expectSame((client) => client.post(VERIFY, headers, body()));
});

it('verifies a batch as the service does', async () => {
  const requests = [pair('admin'), pair('narrow', { scope: 'admin' }), pair('revoked'), pair('narrow')];
  const { status } = await expectSame((client) => client.post(`${VERIFY}/batch`, serviceHeaders, { requests }));
  expect(status).toBe(200);
  await expectSame((client) => client.post(`${VERIFY}/batch`, serviceHeaders, { requests: [{ api_key: 1 }] }));
  await expectSame((client) => client.post(`${VERIFY}/batch`, serviceHeaders, {}));
});

it('does not accept a query, as the service', async () => {
  await expectSame((client) => client.post(`${VERIFY}?scope=admin`, serviceHeaders, pair('narrow')));
});

it('reports remaining uses and rates of keys with limits, which the service decides', async () => {
  const limited = bodyWith([], { limits: { max_uses: 9, rate_limit: { requests: 2, window_seconds: 3600 } } });
  const key = await issueKey(service.client, 'ann', limited);
  const verify = async () => (await sidecar.client.post(VERIFY, serviceHeaders, pairOf(key))).body.data;
  expect(await verify()).toMatchObject({ code: 'VALID', remaining_uses: 8, rate_limit: { limit: 2, remaining: 1 } });
  expect(await verify()).toMatchObject({ code: 'VALID', remaining_uses: 7, rate_limit: { limit: 2, remaining: 0 } });
  const { status, headers } = await sidecar.client.get(`${AUTHORIZE}/at/api/nft/nfts`, pairHeaders(key));
  expect([status, headers['x-w3ipfs-code']]).toEqual([403, 'INSUFFICIENT_SCOPE']);
  expect(await verify()).toMatchObject({ valid: false, code: 'RATE_LIMITED', rate_limit: { limit: 2, remaining: 0 } });
});

const original = (method: string, uri: string) => ({ 'x-original-method': method, 'x-original-uri': uri });
const pins = original('GET', '/api/pinning/pins?a=b');

type Authorize = [what: string, path: string, headers: () => Record<string, string | string[]>];

it.each<Authorize>([
  ['an admin key on a listed route', '', () => ({ ...pins, ...pairHeaders(keys.admin) })],
  ['a key with the scope', '', () => ({ ...pins, authorization: bearerOf(keys.narrow) })],
  ['a key by HTTP Basic', '?scope=data.pin_list,pinning.unpin', () => ({ authorization: basicOf(keys.narrow) })],
  ['a key without the scope', '?scope=pin_nft.unpin_nft', () => pairHeaders(keys.narrow)],
  ['the same as 403', '?scope=pin_nft.unpin_nft&deny=403', () => pairHeaders(keys.narrow)],
  ['an unlisted route', '', () => ({ ...original('GET', '/api/others'), ...pairHeaders(keys.narrow) })],
  ['a path that is not plain', '', () => ({ ...original('GET', '/api//pins'), ...pairHeaders(keys.narrow) })],
  ['a wrong secret on such a path', '', () => ({ ...original('GET', '/a/..'), ...basicHeaders('w3k_x:w3s_y') })],
  ['a bound key from its network', '', () => from('198.51.100.7', keys.bound)],
  ['a bound key from elsewhere', '', () => from('203.0.113.7', keys.bound)],
  ['a disabled key', '', () => ({ ...pins, ...pairHeaders(keys.disabled) })],
  ['a revoked key', '', () => ({ ...pins, ...pairHeaders(keys.revoked) })],
  ['no credentials', '', () => pins],
  ['half a pair', '', () => ({ ...pins, pinning_api_key: keys.narrow.api_key })],
  ['two ways at once', '', () => ({ ...pins, ...pairHeaders(keys.narrow), ...sessionOf('ann') })],
  ['a session', '', () => ({ ...pins, ...sessionOf('ann') })],
  ['a session on an unlisted route', '', () => ({ ...original('PUT', '/api/others'), ...sessionOf('ann') })],
  ['a session on a path that is not plain', '', () => ({ ...original('GET', '/api//pins'), ...sessionOf('ann') })],
  ['a session that nobody signed', '', () => ({ ...pins, authorization: 'Bearer a.b.c' })],
  ['no route', '', () => pairHeaders(keys.narrow)],
  ['an unknown scope', '?scope=pinning.unpinn&deny=1', () => pairHeaders(keys.narrow)],
  ["the client's own query", '?deny=403', () => ({ ...original('GET', '/a?deny=403'), ...pairHeaders(keys.narrow) })],
  ['a path under the prefix', '/at/api/pinning/pins?c=d', () => pairHeaders(keys.narrow)],
  ['a session under the prefix', '/at/api/pinning/pins', () => sessionOf('ann')],
  ['nothing under the prefix', '/at', () => pairHeaders(keys.narrow)],
])('answers a gateway on %s as the service does', async (_, path, headers) => {
  await expectSame((client) => client.get(AUTHORIZE + path, headers()));
});

it('answers every method under the prefix as the service does', async () => {
  for (const method of ['POST', 'DELETE', 'OPTIONS', 'PATCH'])
    for (const headers of [pairHeaders(keys.admin), pairHeaders(keys.narrow), sessionOf('ann')])
      await expectSame((client) => client.call(method, `${AUTHORIZE}/at/api/pinning`, { headers }));
});

it('gives HEAD the same status and headers for gateways', async () => {
  for (const headers of [pairHeaders(keys.narrow), sessionOf('ann'), {}]) {
    const ask = async (client: Client) => {
      const answer = await client.call('HEAD', `${AUTHORIZE}/at/api/pinning/pins`, { headers });
      return { status: answer.status, code: answer.headers['x-w3ipfs-code'], owner: answer.headers['x-w3ipfs-owner'] };
    };
    expect(await ask(sidecar.client)).toEqual(await ask(service.client));
  }
});

const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n0\r\n\r\n`;
const VERIFY_HEAD = `POST ${VERIFY} HTTP/1.1\r\nHost: a\r\nAuthorization: ${serviceHeaders.authorization}\r\n`;

it.each([
  [
    'a chunked body',
    () => `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(narrowJson())}`,
  ],
  ['a chunked body of no type', () => `Transfer-Encoding: chunked\r\n\r\n${chunk(narrowJson())}`],
  ['an empty chunked body', () => 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a second host', () => 'Host: b\r\nContent-Length: 0\r\n\r\n'],
])('reads %s as the service does', async (_, rest) => {
  const [expected, answer] = await Promise.all(
    [service, sidecar].map(({ client }) => exchange(client.url, VERIFY_HEAD + rest())),
  );
  expect(answer?.status).toBe(expected?.status);
  expect(withoutId(answer?.text)).toBe(withoutId(expected?.text));
});

it('answers nothing else', async () => {
  for (const path of ['/', '/api/apiKeys', '/api/apiKeys/changes', '/openapi.json', '/api/apiKeys/authorize/else']) {
    const { status, body } = await sidecar.client.get(path, sessionOf('ann'));
    expect([status, body.error.code]).toEqual([404, 'route_not_found']);
  }
});

function from(address: string, key: IssuedKey) {
  return { ...pins, 'x-forwarded-for': address, ...pairHeaders(key) };
}

function basicHeaders(text: string) {
  return { authorization: `Basic ${Buffer.from(text).toString('base64')}` };
}

function narrowJson(): string {
  return JSON.stringify(pair('narrow'));
}

function withoutId(text = ''): string {
  return text.replace(/"request_id":"[^"]*"/, '"request_id":""');
}
