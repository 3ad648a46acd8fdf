import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { SCOPES } from '../src/principals/scopes.js';
import { BUILT_IN_ROUTES } from '../src/gateway/route-table.js';
import { CLIENT_HEADERS, spellingsOf } from './support/client-headers.js';
import { freePort } from './support/free-port.js';
import type { Gateway } from './support/gateway-process.js';
import { describeGateways } from './support/gateways.js';
import { basicOf, bearerOf, bodyWith, issueKey, type IssuedKey, pairHeaders } from './support/keys.js';
import { type SmallServer, startPlatform, startServer } from './support/platform.js';
import { type Proxy, startProxy } from './support/proxy.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';

type Headers = Record<string, string | string[]>;

const PINS = '/api/pinning/pins';
const DASHBOARD = 'https://dashboard.example.com';

describeGateways((start) => {
  let service: TestService;
  let proxy: Proxy;
  let platform: SmallServer;
  let gateway: Gateway;
  let admin: IssuedKey;
  let lists: IssuedKey;
  beforeAll(async () => {
    service = await startService({ TRUSTED_PROXIES: '127.0.0.1/32', CORS_ORIGINS: DASHBOARD });
    proxy = await startProxy('127.0.0.1', Number(new URL(service.client.url).port));
    platform = await startPlatform();
    gateway = await start({ keys: `127.0.0.1:${proxy.port}`, platform: platform.address });
    admin = await issueKey(service.client, 'ann');
    lists = await issueKey(service.client, 'ann', bodyWith(['data.pin_list']));
  });
  afterAll(async () => {
    await gateway?.stop();
    await platform?.stop();
    await proxy?.cut();
    await service?.stop();
  });

  const call = (method: string, path: string, headers: Headers = {}) => gateway.client.call(method, path, { headers });
  const get = (path: string, headers: Headers = {}) => call('GET', path, headers);

  describe.each(SCOPES.filter((scope) => scope !== 'admin'))('a route that needs %s', (scope) => {
    const routes = BUILT_IN_ROUTES.filter((route) => route.scope === scope);
    it.each(routes)('is open only to a key that has it: $method $path', async ({ method, path }) => {
      const others = SCOPES.filter((name) => name !== scope && name !== 'admin');
      const right = await issueKey(service.client, 'ann', bodyWith([scope]));
      const wrong = await issueKey(service.client, 'ann', bodyWith(others));
      const url = path.replace(/:.*/, randomUUID());
      for (const spelling of [url, `${url}/`, `${url}?a=%2f..&scope=${others[0]}`, url.toUpperCase()]) {
        const passed = await call(method, spelling, pairHeaders(right));
        expect([passed.status, passed.body.method, passed.body.url]).toEqual([200, method, spelling]);
        expect(passed.body.headers['x-w3ipfs-scopes']).toBe(scope);
        const refused = await call(method, `${url}?scope=${others[0]}`, pairHeaders(wrong));
        expect([refused.status, refused.body.error.code]).toEqual([403, 'insufficient_scope']);
        expect(refused.body.error.message).toBe(`This API key lacks the scope ${scope}.`);
        expect(refused.headers).toMatchObject({ 'x-w3ipfs-code': 'INSUFFICIENT_SCOPE', 'x-w3ipfs-scope': scope });
      }
    });
  });

  it.each([
    ['GET', '/'],
    ['GET', '/api/billing?x=1'],
    ['PUT', PINS],
    ['GET', '/api/users/7'],
    ['DELETE', '/API/Users'],
  ])('is open only to admins if the table lacks a route: %s %s', async (method, path) => {
    for (const headers of [sessionOf('ann'), pairHeaders(admin)]) {
      const passed = await call(method, path, headers);
      expect([passed.status, passed.body.method, passed.body.url]).toEqual([200, method, path]);
    }
    const refused = await call(method, path, pairHeaders(lists));
    expect([refused.status, refused.headers['x-w3ipfs-scope']]).toEqual([403, 'admin']);
    expect((await call(method, path)).status).toBe(401);
  });

  it.each(['/api/auth/login', '/api/Auth/LOGIN/', '/api/auth/login?next=/'])(
    'routes everyone to the open route, without an identity for the platform: POST %s',
    async (path) => {
      const forged = { 'x-w3ipfs-owner': 'forged', 'x-w3ipfs-key-id': 'forged', x_w3ipfs_scopes: 'forged' };
      for (const headers of [{}, pairHeaders(lists), { authorization: 'Bearer garbage' }]) {
        const options = { headers: { ...headers, ...forged } as Headers, body: { user: 'ann' } };
        const answer = await gateway.client.call('POST', path, options);
        expect([answer.status, answer.body.url, answer.body.bytes]).toEqual([200, path, 14]);
        const identity = Object.entries(answer.body.headers).filter(([name]) =>
          /w3ipfs|pinning|authorization/.test(name),
        );
        expect(identity.filter(([, value]) => value !== '')).toEqual([]);
      }
      const refused = await get(path);
      expect([refused.status, refused.body.error.code, refused.headers.allow]).toEqual([
        405,
        'method_not_allowed',
        'POST',
      ]);
    },
  );

  it('tells the platform who is calling, and removes the credentials', async () => {
    const pairs = [pairHeaders(admin), { 'Pinning-API-Key': admin.api_key, 'pinning-secret-key': admin.secret_key }];
    for (const headers of [...pairs, sessionOf('ann')]) {
      const echo = (await get(PINS, headers)).body;
      expect(echo.headers).toMatchObject({ 'x-w3ipfs-owner': 'ann', 'x-w3ipfs-scopes': SCOPES.join(' ') });
      // nginx omits an empty header
      const keyId = echo.headers['x-w3ipfs-key-id'] ?? '';
      expect(keyId).toBe('authorization' in headers ? '' : admin.id);
      expect(JSON.stringify(echo)).not.toMatch(/pinning.?(api|secret).?key|authorization|w3s_|eyJ/i);
    }
  });

  it('accepts a key as one string or by HTTP Basic too, and removes it', async () => {
    const lister = await issueKey(service.client, 'ann', bodyWith(['data.pin_list']));
    for (const authorization of [bearerOf(lister), basicOf(lister)]) {
      const { status, body } = await get(PINS, { authorization });
      expect([status, body.headers['x-w3ipfs-key-id']]).toEqual([200, lister.id]);
      expect(JSON.stringify(body)).not.toMatch(/authorization|w3[ks]_|dzNr/i);
      expect((await get('/api/nft/nfts', { authorization })).status).toBe(403);
    }
  });

  it('trusts no client’s own headers for its identity, route or address', async () => {
    const names = ['owner', 'key-id', 'scopes', 'code', 'scope'].flatMap((name) => spellingsOf(`x-w3ipfs-${name}`));
    const forged = Object.fromEntries(names.map((name) => [name, 'forged']));
    const route = { 'x-original-method': 'GET', 'x-original-uri': PINS, 'x-original-url': `http://h${PINS}` };
    const otherRoute = { 'x-forwarded-method': 'GET', 'x-forwarded-uri': PINS, 'x-forwarded-for': '192.0.2.7' };
    const echo = (await get(PINS, { ...sessionOf('ann'), ...forged, ...route, ...otherRoute })).body;
    expect(Object.keys(echo.headers).filter((name) => echo.headers[name] === 'forged')).toEqual([]);
    expect(echo.headers).toMatchObject({ 'x-w3ipfs-owner': 'ann', 'x-forwarded-for': '127.0.0.1' });

    const answer = await get('/api/nft/nfts', { ...pairHeaders(lists), ...forged, ...route, ...otherRoute });
    expect(answer.status).toBe(403);
    const limits = { limits: { allowed_cidrs: ['192.0.2.0/24'] } };
    const elsewhere = await issueKey(service.client, 'ann', bodyWith(['data.pin_list'], limits));
    const there = await get(PINS, {
      ...pairHeaders(elsewhere),
      'x-forwarded-for': '192.0.2.7',
      'x-real-ip': '192.0.2.7',
    });
    expect([there.status, there.body.error.code]).toEqual([403, 'ip_not_allowed']);
  });

  it.each(['X-W3IPFS-Owner', 'X-W3IPFS-Scopes, X-W3IPFS-Key-Id', 'close, x-forwarded-for', 'pinning_secret_key'])(
    'lets no client remove a header by naming it in Connection: %s',
    async (connection) => {
      const { status, body } = await get(PINS, { ...pairHeaders(lists), connection });
      expect(status).toBe(200);
      expect(body.headers).toMatchObject({
        'x-w3ipfs-owner': 'ann',
        'x-w3ipfs-key-id': lists.id,
        'x-w3ipfs-scopes': 'data.pin_list',
        'x-forwarded-for': '127.0.0.1',
      });
      expect(JSON.stringify(body)).not.toMatch(/pinning.?secret.?key/);
    },
  );

  describe('passes on no header by which a client could pose as a proxy', () => {
    const forged = (name: string) => Object.fromEntries(spellingsOf(name).map((spelling) => [spelling, 'forged']));
    const heard = (headers: Record<string, string>) => Object.keys(headers).filter((one) => headers[one] === 'forged');

    it('to the platform', async () => {
      for (const name of CLIENT_HEADERS) {
        const { status, body } = await get(PINS, { ...sessionOf('ann'), ...forged(name) });
        expect([name, status, body.method, body.url, heard(body.headers)]).toEqual([name, 200, 'GET', PINS, []]);
      }
    });

    it('but passes all others unchanged', async () => {
      const { body } = await get(PINS, { ...sessionOf('ann'), 'x-of-the-app': 'forged', accept: 'forged' });
      expect(heard(body.headers).toSorted()).toEqual(['accept', 'x-of-the-app']);
    });

    it('to the key service, which gets the credentials unchanged', async () => {
      let got: Record<string, string> = {};
      const keys = await startServer(({ url, headers }, response) => {
        // Gateways interpret it too
        if (url === '/api/apiKeys/list') got = headers as Record<string, string>;
        response.end('{}');
      });
      const other = await start({ keys: keys.address, platform: platform.address });
      const all = Object.assign({}, ...[...CLIENT_HEADERS, 'x-w3ipfs-owner', 'x-w3ipfs-key-id'].map(forged));
      const names = Object.keys(all);
      // In chunks that fit into the headers of one request
      for (let from = 0; from < names.length; from += 90) {
        const some = Object.fromEntries(names.slice(from, from + 90).map((one) => [one, 'forged']));
        await other.client.get('/api/apiKeys/list', { ...some, ...pairHeaders(admin), 'x-of-the-app': 'kept' });
        expect([heard(got), got['x-of-the-app'], got['pinning_secret_key']]).toEqual([[], 'kept', admin.secret_key]);
      }
      await other.stop();
      await keys.stop();
    });
  });

  it('refuses unauthenticated callers, and says how to authenticate', async () => {
    const revoked = await issueKey(service.client, 'ann');
    await service.client.delete(`/api/apiKeys/${revoked.id}`, sessionOf('ann'));
    const refusals: [string, Record<string, string>][] = [
      ['INVALID_CREDENTIALS', {}],
      ['INVALID_CREDENTIALS', { pinning_api_key: admin.api_key }],
      ['INVALID_CREDENTIALS', { ...pairHeaders(admin), pinning_secret_key: `w3s_${'a'.repeat(40)}` }],
      ['INVALID_CREDENTIALS', { authorization: 'Bearer garbage' }],
      ['REVOKED', pairHeaders(revoked)],
    ];
    for (const [code, headers] of refusals) {
      const answer = await get(PINS, headers);
      expect([answer.status, answer.body.error.reason, answer.headers['x-w3ipfs-code']]).toEqual([401, code, code]);
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="w3ipfs"/);
      expect(answer.body.request_id).toBe(answer.headers['x-request-id']);
    }
  });

  it('refuses two ways to authenticate at once', async () => {
    const answer = await get(PINS, { ...sessionOf('ann'), ...pairHeaders(admin) });
    expect([400, 403]).toContain(answer.status);
    expect(answer.body.error.code).toBe('ambiguous_credentials');
  });

  it('reports when a key exceeds its rate', async () => {
    const limits = { limits: { rate_limit: { requests: 1, window_seconds: 60 } } };
    const limited = await issueKey(service.client, 'ann', bodyWith(['data.pin_list'], limits));
    expect((await get(PINS, pairHeaders(limited))).status).toBe(200);
    const answer = await get(PINS, pairHeaders(limited));
    expect([answer.status, answer.body.error.code]).toEqual([429, 'rate_limited']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(answer.headers).toMatchObject({ 'x-w3ipfs-code': 'RATE_LIMITED', 'ratelimit-policy': expect.any(String) });
  });

  it.each([
    '/api/pinning/../nft',
    '/api/pinning/../nft/nfts',
    '/api/pinning/%2e%2e/nft/nfts',
    '/api/pinning/.%2E/nft/nfts',
    '/api/pinning/a/..',
    '/api/pinning/.',
    '//api/pinning/pins',
    '/api//pinning/pins',
    '/api/pinning/pins//',
    '/api%2fpinning/pins',
    '/api/pinning%2Fpins',
    '/api/pinning/a%5cb',
    '/api/pinning/..\\nft',
    '/api/pinning/..;/nft/nfts',
    '/api/pinning/pins%0d%0a',
    '/api/pinning/%252e%252e',
    '/api/pinning/caf\u00e9',
    '/api/apiKeys/../pinning/pins',
    '/api/pinning/../apiKeys/authorize',
    '/api/pinning/unpin/../../auth/login',
    '/api/pinning/%2e%2e/auth/login',
    '//api/auth/login',
    '/api/auth/login/../../pinning/pins',
    '/api/%61uth/login',
  ])('admits nobody by %s', async (path) => {
    for (const method of ['GET', 'POST']) {
      const answer = await call(method, path, pairHeaders(admin));
      expect([400, 403, 404, 405]).toContain(answer.status);
      // The platform echoes the request
      expect(answer.body?.url).toBeUndefined();
    }
  });

  it.each(['.', '..', './', '/.', '/..', '%20', '%2e', '%00', ';', ';x=1', ':', '~', '/x', '%3F', '%23', '::$DATA'])(
    'opens the open route and admin routes by no other spelling: followed by %s',
    async (ending) => {
      for (const [method, path] of [
        ['POST', '/api/auth/login'],
        ['GET', '/api/users'],
        ['GET', '/api/users/7'],
      ] as const) {
        for (const headers of [{}, pairHeaders(lists)]) {
          const { status, body } = await call(method, path + ending, headers);
          expect([path, [400, 401, 403, 404, 405].includes(status), body?.url]).toEqual([path, true, undefined]);
        }
      }
    },
  );

  it.each(['verify', 'authorize', 'verify/batch', 'reports', 'changes'])(
    'routes to %s by no other spelling',
    async (name) => {
      for (const ending of ['.', '..', '%20', '%2e', './', '/.', ';', '%00']) {
        const answer = await gateway.client.post(`/api/apiKeys/${name}${ending}`, pairHeaders(admin), {});
        expect([ending, [400, 403, 404, 405].includes(answer.status)]).toEqual([ending, true]);
        expect(answer.headers).not.toHaveProperty('x-w3ipfs-owner');
      }
    },
  );

  it('answers HEAD like GET, without a body', async () => {
    const passed = await call('HEAD', PINS, pairHeaders(lists));
    expect([passed.status, passed.text]).toEqual([200, '']);
    const refused = await call('HEAD', '/api/nft/nfts', pairHeaders(lists));
    expect([refused.status, refused.text, refused.headers['x-w3ipfs-scope']]).toEqual([403, '', 'data.nft_list']);
    expect((await call('HEAD', PINS)).status).toBe(401);
  });

  it('treats OPTIONS like any other request, and routes preflights for the keys to the key service', async () => {
    const preflight = { origin: DASHBOARD, 'access-control-request-method': 'POST' };
    expect((await call('OPTIONS', PINS, preflight)).status).toBe(401);
    expect((await call('OPTIONS', PINS, { ...preflight, ...pairHeaders(lists) })).status).toBe(403);
    expect((await call('OPTIONS', PINS, { ...preflight, ...sessionOf('ann') })).body.method).toBe('OPTIONS');
    const answer = await call('OPTIONS', '/api/apiKeys/', preflight);
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([204, DASHBOARD]);
  });

  it.each(['websocket', 'h2c'])('upgrades no connection to one that bypasses the checks: %s', async (protocol) => {
    const webSocket = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' };
    const settings = { 'http2-settings': 'AAMAAABkAAQAAP__' };
    const upgrade = { connection: 'Upgrade', upgrade: protocol, ...(protocol === 'websocket' ? webSocket : settings) };
    expect((await get(PINS, upgrade)).status).toBe(401);
    const { status, body } = await get(PINS, { ...upgrade, ...pairHeaders(lists) });
    expect([status, body.headers.upgrade]).toEqual([200, undefined]);
    expect(body.headers.connection ?? '').not.toMatch(/upgrade/i);
  });

  it('passes uploads on whole, and asks the key service without them', async () => {
    const body = Buffer.alloc(3_000_000, 'x');
    const headers = { ...pairHeaders(admin), 'content-type': 'multipart/form-data; boundary=x' };
    const answer = await gateway.client.call('POST', '/api/pinning', { headers, body });
    expect([answer.status, answer.body.bytes]).toEqual([200, body.length]);
    expect(answer.body.headers['content-type']).toBe(headers['content-type']);
  });

  it('passes on an upload of unknown length', async () => {
    const head = Object.entries({ ...pairHeaders(admin), 'content-type': 'application/octet-stream' })
      .map((line) => `${line.join(': ')}\r\n`)
      .join('');
    const body = `10000\r\n${'x'.repeat(65_536)}\r\n`.repeat(3);
    const answer = await sendRaw(
      `POST /api/pinning HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n`,
      `${body}0\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(answer).toContain('"bytes":196608');
  });

  it('refuses an unauthorised upload without reading it', async () => {
    const answer = await sendRaw('POST /api/pinning HTTP/1.1\r\nContent-Length: 100000000\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 401 /);
  });

  it.each([304, 400, 401, 403, 404, 405, 418, 429, 500, 502, 503, 504])(
    'passes on the platform\u2019s own %d unchanged',
    async (status) => {
      const answer = await get(`${PINS}?status=${status}`, pairHeaders(admin));
      expect(answer.status).toBe(status);
      expect(answer.headers).not.toHaveProperty('x-w3ipfs-code');
      if (status !== 304) expect(answer.body.url).toBe(`${PINS}?status=${status}`);
    },
  );

  it('routes the management of keys to the key service, but not the operations of services and gateways', async () => {
    for (const path of ['/api/apiKeys/testAuthentication/', '/API/apikeys/TESTauthentication'])
      expect((await get(path, pairHeaders(admin))).body.message).toMatch(/^Congratulations/);
    expect((await gateway.client.post('/api/apiKeys/', sessionOf('ann'), bodyWith([]))).status).toBe(200);
    const { id } = await issueKey(service.client, 'ann');
    expect((await call('DELETE', `/api/apikeys/${id}`, sessionOf('ann'))).body.message).toMatch(/deleted/);
    for (const path of [
      'authorize?scope=admin',
      'Authorize/at/api/pinning/pins',
      'verify',
      'VERIFY/batch',
      '%76erify',
      '/authorize/',
      './verify',
      'reports',
      'Reports/',
      '%72eports',
      'changes',
      'CHANGES/',
      'authorize/at/../../list',
      'list/../verify',
    ]) {
      const answer = await gateway.client.post(`/api/apiKeys/${path}`, pairHeaders(admin), {});
      expect([path, answer.status, answer.body.error.code]).toEqual([path, 404, 'route_not_found']);
    }
  });

  it('routes to the listed pages of the key service, and to no other', async () => {
    expect((await get('/openapi.json')).body.openapi).toBe('3.1.0');
    expect((await get('/Docs/')).text).toContain('swagger-ui');
    // None exists yet: the key service answers 404
    expect((await get('/console/')).body.error.message).toBe('There is no GET /console/.');
    for (const path of ['/health/live', '/HEALTH/ready', '/metrics']) {
      const answer = await get(path, sessionOf('ann'));
      expect([path, answer.status, answer.body.error.code]).toEqual([path, 404, 'route_not_found']);
    }
  });

  it('hides from clients that one of two processes of the key service is unavailable', async () => {
    const other = await start({
      keys: [`127.0.0.1:${await freePort()}`, `127.0.0.1:${proxy.port}`],
      platform: platform.address,
    });
    const issue = async () => (await other.client.post('/api/apiKeys', sessionOf('ann'), bodyWith([]))).status;
    const list = async () => (await other.client.get(PINS, pairHeaders(lists))).status;
    for (let round = 0; round < 10; round++) expect(await list()).toBe(200);
    // Caddy does not retry a request with a body
    await until(async () => (await issue()) === 200, 'the gateway to notice');
    for (let round = 0; round < 10; round++) expect([await list(), await issue()]).toEqual([200, 200]);
    await other.stop();
  });

  it('answers 503 while the key service is unavailable, and reaches the platform after its return', async () => {
    await proxy.cut();
    const answers = [await get(PINS, pairHeaders(admin)), await get('/api/apiKeys/list', pairHeaders(admin))];
    await proxy.mend();
    for (const { status, body, headers } of answers)
      expect([status, body.error.code, headers['retry-after']]).toEqual([503, 'unavailable', '2']);
    await until(async () => (await get(PINS, pairHeaders(admin))).status === 200, 'the key service to be found again');
  });

  /** Sends the lines unchanged, and reads until the gateway closes the connection. */
  async function sendRaw(head: string, body = ''): Promise<string> {
    const socket = connect(gateway.port, '127.0.0.1');
    // It may close before it has read everything
    socket.on('error', () => undefined);
    socket.write(Buffer.from(`${head}Host: gateway\r\nConnection: close\r\n\r\n${body}`, 'latin1'));
    return text(socket).catch(() => '');
  }
});
