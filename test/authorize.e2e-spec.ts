import { SCOPES } from '../src/principals/scopes.js';
import { runConcurrently, range } from './support/at-once.js';
import { bodyWith, issueKey, type IssuedKey, pairHeaders } from './support/keys.js';
import { useService } from './support/service.js';
import { secondsFromNow, sessionOf, signToken } from './support/sessions.js';

const AUTHORIZE = '/api/apiKeys/authorize';
const pins = { 'x-original-method': 'GET', 'x-original-uri': '/api/pinning/pins?limit=5' };

let admin: IssuedKey;
let unpins: IssuedKey;
let revoked: IssuedKey;
const service = useService();
beforeAll(async () => {
  admin = await issueKey(service.client, 'ann');
  unpins = await issueKey(service.client, 'ann', bodyWith(['pinning.unpin']));
  revoked = await issueKey(service.client, 'ann');
  await service.client.delete(`/api/apiKeys/${revoked.id}`, sessionOf('ann'));
});

const authorize = (query: string, headers: Record<string, string | string[]>) =>
  service.client.call('GET', AUTHORIZE + query, { headers });

describe('lets a request pass', () => {
  it('and identifies the caller in headers only', async () => {
    const answer = await authorize('?scope=pinning.unpin', pairHeaders(unpins));
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(answer.headers).toMatchObject({
      'content-length': '0',
      'cache-control': 'no-store',
      'x-w3ipfs-owner': 'ann',
      'x-w3ipfs-key-id': unpins.id,
      'x-w3ipfs-scopes': 'pinning.unpin',
      'x-w3ipfs-code': 'VALID',
      'x-request-id': expect.any(String),
    });
  });

  it.each([
    ['underscores', (k: IssuedKey) => pairHeaders(k)],
    ['hyphens', (k: IssuedKey) => ({ 'Pinning-API-Key': k.api_key, 'pinning-secret-key': k.secret_key })],
  ])('with %s in the headers, on a cache miss and on a hit', async (_, headers) => {
    const key = await issueKey(service.client, 'ann');
    for (const query of ['?scope=admin', '/?scope=pinning.unpin,data.nft_list&deny=403']) {
      const answer = await authorize(query, headers(key));
      expect([answer.status, answer.headers['x-w3ipfs-scopes']]).toEqual([200, SCOPES.join(' ')]);
    }
  });

  it.each([
    ["nginx's", pins],
    ["Traefik's", { 'x-forwarded-method': 'HEAD', 'x-forwarded-uri': '/api/pinning/pins/' }],
    ["Caddy's, in another case", { 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/API/Pinning/PINS?a=b' }],
    [
      "ingress-nginx's",
      { 'x-original-method': 'GET', 'x-original-url': 'https://api.example.com:8443/api/pinning/pins?limit=5' },
    ],
    ['all of one mind', { ...pins, 'x-original-url': 'http://[::1]/api/pinning/pins?limit=5' }],
    ['both, of one mind', { ...pins, 'x-forwarded-method': 'GET', 'x-forwarded-uri': pins['x-original-uri'] }],
  ])('by the route in the headers: %s', async (_, route) => {
    expect((await authorize('', { ...pairHeaders(admin), ...route })).status).toBe(200);
    const refused = await authorize('', { ...pairHeaders(unpins), ...route });
    expect(refused.status).toBe(403);
    expect(refused.body.error.message).toBe('This API key lacks the scope data.pin_list.');
    expect(refused.headers['x-w3ipfs-scope']).toBe('data.pin_list');
  });

  it('names the missing ones of several scopes', async () => {
    const refused = await authorize('?scope=admin,pinning.unpin,data.nft_list', pairHeaders(unpins));
    expect([refused.status, refused.headers['x-w3ipfs-scope']]).toEqual([403, 'admin data.nft_list']);
    expect(refused.body.error.message).toBe('This API key lacks the scope admin, data.nft_list.');
  });

  it.each<[string, Record<string, string>]>([
    ['GET', { 'x-original-uri': '/api/users' }],
    ['PUT', { 'x-original-uri': pins['x-original-uri'] }],
    ['OPTIONS', { 'x-original-uri': '/' }],
  ])('only of an admin if the table lacks the route: %s %j', async (method, uri) => {
    const route = { 'x-original-method': method, ...uri };
    for (const headers of [pairHeaders(admin), sessionOf('ann')])
      expect((await authorize('', { ...headers, ...route })).status).toBe(200);
    const refused = await authorize('', { ...pairHeaders(unpins), ...route });
    expect([refused.status, refused.headers['x-w3ipfs-scope']]).toEqual([403, 'admin']);
    expect((await authorize('', route)).status).toBe(401);
  });

  it('by the scope alone if one is given, whatever route another proxy put into the headers', async () => {
    expect((await authorize('?scope=pinning.unpin', { ...pairHeaders(unpins), ...pins })).status).toBe(200);
  });

  it('of a session, which has every scope and no key', async () => {
    const answer = await authorize('', { ...sessionOf('ann'), ...pins });
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(answer.headers).toMatchObject({ 'x-w3ipfs-owner': 'ann', 'x-w3ipfs-scopes': SCOPES.join(' ') });
    expect(answer.headers['x-w3ipfs-key-id']).toBe('');
  });

  it.each([
    ['auth0|a@b.c', 'auth0|a@b.c'],
    ['Zoë 100%, 李 😀', 'Zo%C3%AB%20100%25,%20%E6%9D%8E%20%F0%9F%98%80'],
  ])('of an owner whose name is %s', async (owner, header) => {
    const key = await issueKey(service.client, owner);
    for (const headers of [pairHeaders(key), sessionOf(owner)]) {
      const answer = await authorize('?scope=admin', headers);
      expect(answer.headers['x-w3ipfs-owner']).toBe(header);
      expect(decodeURIComponent(header)).toBe(owner);
    }
  });
});

describe('refuses', () => {
  const wrong = () => pairHeaders({ ...unpins, secret_key: `w3s_${'a'.repeat(40)}` });
  const expired = () => ({ authorization: `Bearer ${signToken({ exp: secondsFromNow(-60) })}` });
  it.each([
    ['nobody', () => ({}), 401, 401, 'INVALID_CREDENTIALS', 'unauthenticated'],
    ['a made-up pair', wrong, 401, 401, 'INVALID_CREDENTIALS', 'unauthenticated'],
    ['half a pair', () => ({ pinning_api_key: unpins.api_key }), 401, 401, 'INVALID_CREDENTIALS', 'unauthenticated'],
    ['a revoked key', () => pairHeaders(revoked), 401, 401, 'REVOKED', 'unauthenticated'],
    ['an expired session', expired, 401, 401, 'EXPIRED', 'unauthenticated'],
    ['no session', () => ({ authorization: 'Basic YTpi' }), 401, 401, 'INVALID_CREDENTIALS', 'unauthenticated'],
    ['a key without the scope', () => pairHeaders(unpins), 403, 403, 'INSUFFICIENT_SCOPE', 'insufficient_scope'],
    [
      'a session and a key together',
      () => ({ ...sessionOf('ann'), ...pairHeaders(admin) }),
      400,
      403,
      'INVALID_CREDENTIALS',
      'ambiguous_credentials',
    ],
    [
      'a header twice',
      () => ({ ...pairHeaders(admin), 'pinning-secret-key': admin.secret_key }),
      400,
      403,
      'INVALID_CREDENTIALS',
      'ambiguous_credentials',
    ],
  ])('%s, with the verdict in a header', async (_, headers, status, deniedStatus, code, error) => {
    for (const [query, expected] of [
      ['', status],
      ['?deny=403', deniedStatus],
    ] as const) {
      const answer = await authorize(query, { ...headers(), ...pins });
      expect([answer.status, answer.headers['x-w3ipfs-code'], answer.body.error.code]).toEqual([expected, code, error]);
      expect(answer.body).toMatchObject({ status: 'error', request_id: answer.headers['x-request-id'] });
      expect(answer.headers['www-authenticate']).toEqual(expected === 401 ? 'Bearer realm="w3ipfs"' : undefined);
      expect(answer.headers).not.toHaveProperty('x-w3ipfs-owner');
    }
  });

  const other = { 'x-forwarded-method': 'POST', 'x-forwarded-uri': '/api/nft' };
  it.each<[string, Record<string, string | string[]>]>([
    [
      'a URL with a host chosen by the client',
      { 'x-original-method': 'GET', 'x-original-url': 'https://a?x/api/nft/nfts' },
    ],
    ['a URL with a user', { 'x-original-method': 'GET', 'x-original-url': 'https://a@b/api/nft/nfts' }],
    ['a path instead of a URL', { 'x-original-method': 'GET', 'x-original-url': '/api/nft/nfts' }],
    ['a URL instead of a path', { ...pins, 'x-original-uri': 'https://host/api/nft/nfts' }],
    ['a path and a URL of another', { ...pins, 'x-original-url': 'https://host/api/nft/nfts' }],
    ['a path with dots', { ...pins, 'x-original-uri': '/api/pinning/%2e%2e/nft/nfts' }],
    ['a path with raw bytes', { ...pins, 'x-original-uri': '/api/pinning/\u00e9' }],
    ['an over-long path', { ...pins, 'x-original-uri': `/api/pinning/${'a'.repeat(6_000)}` }],
    ['an empty path', { ...pins, 'x-original-uri': '' }],
    ['two routes', { ...pins, ...other }],
    ['a second method', { ...pins, 'x-forwarded-method': 'GET' }],
    ['a second path', { ...pins, 'x-forwarded-uri': pins['x-original-uri'] }],
    ['a path given twice', { ...pins, 'x-original-uri': [pins['x-original-uri'], pins['x-original-uri']] }],
    ['a method given twice', { ...pins, 'x-original-method': ['GET', 'GET'] }],
  ])('an unauthenticated caller first, then any caller who asks for %s', async (_, route) => {
    for (const headers of [pairHeaders(admin), sessionOf('ann')]) {
      const answer = await authorize('?deny=403', { ...headers, ...route });
      expect([answer.status, answer.headers['x-w3ipfs-code']]).toEqual([403, 'INSUFFICIENT_SCOPE']);
      expect(answer.body.error.message).toMatch(/^Denied to every caller: .*(?:this path|has to send)/);
    }
    expect((await authorize('', route)).status).toBe(401);
  });
});

it('explains why a route that the table lacks is refused, and how to open it', async () => {
  const unlisted = { 'x-original-method': 'GET', 'x-original-uri': '/api/users' };
  const answer = await authorize('?deny=403', { ...pairHeaders(unpins), ...unlisted });
  expect([answer.status, answer.headers['x-w3ipfs-scope']]).toEqual([403, 'admin']);
  expect(answer.body.error.message).toMatch(
    /not in the route table.* a session or an admin key.* adds it to ROUTE_TABLE/,
  );
  const asked = await authorize('?scope=admin', { ...pairHeaders(unpins), ...unlisted });
  expect(asked.body.error.message).toBe('This API key lacks the scope admin.');
});

it.each([
  [
    '?scope=pin_list',
    { path: 'scope', message: expect.stringMatching(/separated by commas; data\.pin_list was prob/) },
  ],
  ['?scope=admin&scope=admin', { path: 'scope', message: 'is given more than once' }],
  ['?scope=admin&deny=429', { path: 'deny', message: 'must be 403' }],
  ['?scope=admin&deny=403&deny=403', { path: 'deny', message: 'is given more than once' }],
])('explains what is wrong with %s', async (query, detail) => {
  expect((await authorize(query, pairHeaders(admin))).body.error.details).toEqual([detail]);
});

it.each<[string, Record<string, string>, string[]]>([
  ['', {}, ['scope']],
  ['?deny=403', { 'x-original-method': 'GET', 'x-forwarded-uri': '/api/nft/nfts' }, ['scope']],
  ['', { 'x-original-uri': '/api/nft/nfts' }, ['scope']],
  ['?scope=', pins, ['scope']],
  ['?scope=pinning', pins, ['scope']],
  ['?scope=admin,', pins, ['scope']],
  ['?scope=admin,%20pinning.unpin', pins, ['scope']],
  ['?scope=admin&scope=admin', pins, ['scope']],
  ['?deny=401', pins, ['deny']],
  ['?deny=403&deny=403', pins, ['deny']],
  ['?Scope=admin&__proto__=1&deny=', pins, ['Scope', '__proto__', 'deny']],
])('tells the operator what is invalid in %s with %j', async (query, headers, paths) => {
  for (const credentials of [pairHeaders(admin), {}]) {
    const answer = await authorize(query, { ...credentials, ...headers });
    expect([answer.status, answer.body.error.code]).toEqual([400, 'validation_failed']);
    expect(answer.body.error.details.map(({ path }: { path: string }) => path)).toEqual(paths);
    expect(answer.headers).not.toHaveProperty('x-w3ipfs-code');
  }
});

describe("a query that is the client's own", () => {
  const unpin = (query: string) => `/api/pinning/unpin/x${query}`;
  it.each<[string, string, Record<string, string>, string[]]>([
    ['alone', '?scope=data.pin_list', { 'x-forwarded-uri': unpin('?scope=data.pin_list') }, ['scope']],
    ['written otherwise', '?scope=data.pin_list', { 'x-forwarded-uri': unpin('?scope=data%2Epin_list') }, ['scope']],
    ['among others', '?scope=data.pin_list', { 'x-forwarded-uri': unpin('?a=b&scope=data.pin_list') }, ['scope']],
    [
      'behind its own',
      '?deny=403&scope=data.pin_list',
      { 'x-forwarded-uri': unpin('?scope=data.pin_list') },
      ['scope'],
    ],
    ['of no consequence', '?deny=403', { 'x-forwarded-uri': unpin('?deny=403') }, ['deny']],
    ['both', '?deny=403&scope=admin', { 'x-forwarded-uri': unpin('?deny=403&scope=admin') }, ['deny', 'scope']],
    ["in nginx's header", '?scope=data.pin_list', { 'x-original-uri': unpin('?scope=data.pin_list') }, ['scope']],
    ['in a URL', '?scope=data.pin_list', { 'x-original-url': `http://h${unpin('?scope=data.pin_list')}` }, ['scope']],
  ])('is refused for every caller: %s', async (_, query, headers, paths) => {
    const method = { 'x-forwarded-method': 'DELETE', 'x-original-method': 'DELETE' };
    for (const credentials of [pairHeaders(admin), sessionOf('ann'), {}]) {
      const answer = await authorize(query, { ...credentials, ...method, ...headers });
      // nginx would answer 500 for any status but 401 and 403
      const status = query.includes('deny=403') ? 403 : 400;
      expect([answer.status, answer.body.error.code]).toEqual([status, 'validation_failed']);
      expect(answer.body.error.details.map(({ path }: { path: string }) => path)).toEqual(paths);
      expect(answer.body.error.details[0].message).toContain("client's own query");
    }
  });

  it("is the operator's if the client's has other values, or none", async () => {
    for (const query of ['', '?limit=5', '?scope=data.pin_list', '?Scope=pinning.unpin']) {
      const headers = { 'x-forwarded-method': 'DELETE', 'x-forwarded-uri': unpin(query) };
      expect((await authorize('?scope=pinning.unpin', { ...pairHeaders(unpins), ...headers })).status).toBe(200);
    }
  });
});

it('accepts no other method', async () => {
  const answer = await service.client.post(AUTHORIZE, pairHeaders(admin), {});
  expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD']);
});

it('denies a key as soon as it is revoked, however many requests are under way', async () => {
  const key = await issueKey(service.client, 'ann');
  expect((await authorize('?scope=admin', pairHeaders(key))).status).toBe(200);
  await service.client.delete(`/api/apiKeys/${key.id}`, sessionOf('ann'));
  const statuses = new Set<number>();
  await runConcurrently(
    16,
    range(64),
    async () => void statuses.add((await authorize('?scope=admin', pairHeaders(key))).status),
  );
  expect([...statuses]).toEqual([401]);
});
