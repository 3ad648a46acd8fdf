import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RawConnection } from './support/connection.js';
import { makeFolder, removeFolder } from './support/folders.js';
import { bodyWith, issueKey, type IssuedKey, pairHeaders } from './support/keys.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';

const AT = '/api/apiKeys/authorize/at';

const ROUTES = [
  { method: 'POST', path: '/api/auth/login', scope: 'public' },
  { method: 'GET', path: '/api/account/:name', scope: 'any' },
];

let folder: string;
let service: TestService;
let admin: IssuedKey;
let lists: IssuedKey;
beforeAll(async () => {
  folder = makeFolder();
  writeFileSync(join(folder, 'routes.json'), JSON.stringify(ROUTES));
  service = await startService({ ROUTE_TABLE: join(folder, 'routes.json') });
  admin = await issueKey(service.client, 'ann');
  lists = await issueKey(service.client, 'ann', bodyWith(['data.pin_list']));
});
afterAll(async () => {
  await service.stop();
  removeFolder(folder);
});

const at = (method: string, path: string, headers: Record<string, string | string[]> = {}) =>
  service.client.call(method, AT + path, { headers });

/** What Envoy's filter sends for an upload: the method and path, no body, and the configured headers. */
const ofEnvoy = {
  'content-length': '0',
  'x-forwarded-for': '192.0.2.7',
  'x-envoy-internal': 'true',
  'x-envoy-expected-rq-timeout-ms': '250',
};

it.each([
  ['GET', '/api/pinning/pins?limit=5', 200],
  ['HEAD', '/api/pinning/pins/', 200],
  ['GET', '/API/PINNING/PINS', 200],
  ['GET', '/api/pinning/pins?scope=admin&deny=403', 200],
  ['POST', '/api/pinning', 403],
  ['DELETE', '/api/pinning/unpin/x?scope=data.pin_list', 403],
  ['PUT', '/api/pinning/pins', 403],
  ['OPTIONS', '/api/pinning/pins', 403],
  ['PROPFIND', '/api/pinning/pins', 403],
  ['GET', '/', 403],
  ['GET', '/api/pinning/../pinning/pins', 403],
  ['GET', '//api/pinning/pins', 403],
])('decides by the method and path behind the prefix: %s %s', async (method, path, status) => {
  const answer = await at(method, path, { ...pairHeaders(lists), ...ofEnvoy });
  expect(answer.status).toBe(status);
  const closed = path.includes('..') || path.startsWith('//');
  const ofAdmin = await at(method, path, { ...sessionOf('ann'), ...ofEnvoy });
  expect(ofAdmin.status).toBe(closed ? 403 : 200);
  expect((await at(method, path, ofEnvoy)).status).toBe(401);
});

it('returns in headers what a gateway passes on, and names the missing scope', async () => {
  const passed = await at('GET', '/api/pinning/pins', { ...pairHeaders(lists), ...ofEnvoy });
  expect([passed.status, passed.text]).toEqual([200, '']);
  expect(passed.headers).toMatchObject({
    'x-w3ipfs-owner': 'ann',
    'x-w3ipfs-key-id': lists.id,
    'x-w3ipfs-scopes': 'data.pin_list',
  });
  const refused = await at('POST', '/api/pinning', { ...pairHeaders(lists), ...ofEnvoy });
  expect(refused.headers).toMatchObject({
    'x-w3ipfs-code': 'INSUFFICIENT_SCOPE',
    'x-w3ipfs-scope': 'pinning.pin_file_to_ipfs',
  });
  expect(refused.body.error.code).toBe('insufficient_scope');
});

it('ignores headers about the route', async () => {
  const forged = { 'x-original-method': 'GET', 'x-original-uri': '/api/pinning/pins' };
  const others = { 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/api/pinning/pins' };
  const answer = await at('POST', '/api/pinning', { ...pairHeaders(lists), ...forged, ...others });
  expect(answer.status).toBe(403);
});

it('refuses duplicate credentials, as everywhere', async () => {
  for (const headers of [{ ...sessionOf('ann'), ...pairHeaders(admin) }, { authorization: ['Bearer a', 'Bearer b'] }])
    expect((await at('GET', '/api/pinning/pins', headers)).status).toBe(400);
});

it.each([
  ['of another type', { 'content-type': 'multipart/form-data; boundary=x', 'content-length': '5' }, 'abcde'],
  ['that is not JSON', { 'content-type': 'application/json', 'content-length': '5' }, '{"a":'],
  ['of unknown length', { 'transfer-encoding': 'chunked' }, '5\r\nabcde\r\n0\r\n\r\n'],
])('ignores a body %s', async (_, headers, body) => {
  const connection = new RawConnection(service.client.url);
  const lines = Object.entries({ host: 'x', ...headers, ...pairHeaders(admin) }).map((line) => line.join(': '));
  await connection.write(`POST ${AT}/api/pinning HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
  expect(await connection.answers(1)).toEqual([200]);
  connection.destroy();
});

describe('a route of ROUTE_TABLE', () => {
  it('that is public needs no credentials, and identifies no caller', async () => {
    for (const headers of [{}, pairHeaders(lists), { authorization: 'Bearer garbage' }]) {
      const answer = await at('POST', '/api/auth/login', { ...headers, ...ofEnvoy });
      expect([answer.status, answer.text]).toEqual([200, '']);
      expect(answer.headers).toMatchObject({ 'x-w3ipfs-owner': '', 'x-w3ipfs-key-id': '', 'x-w3ipfs-scopes': '' });
    }
    expect((await at('GET', '/api/auth/login')).status).toBe(401);
  });

  it('that is for any key needs no scope', async () => {
    const none = await issueKey(service.client, 'ann', bodyWith([]));
    for (const headers of [pairHeaders(none), sessionOf('ann')])
      expect((await at('GET', '/api/account/name', headers)).status).toBe(200);
    expect((await at('GET', '/api/account/name')).status).toBe(401);
    expect((await at('GET', '/api/account', pairHeaders(none))).status).toBe(403);
  });

  it('is chosen by the headers too', async () => {
    const route = { 'x-original-method': 'POST', 'x-original-uri': '/API/auth/login' };
    expect((await service.client.get('/api/apiKeys/authorize', route)).status).toBe(200);
  });
});
