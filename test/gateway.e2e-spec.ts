import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { SCOPES } from '../src/api-keys/scopes.js';
import { ROUTE_TABLE } from '../src/verification/route-table.js';
import { range } from './support/at-once.js';
import { basicOf, bearerOf, bodyWith, issueKey, type IssuedKey, pairHeaders } from './support/keys.js';
import { type Gateway, NGINX_VARIABLE, startNginx } from './support/nginx.js';
import { type SmallServer, startPlatform, startServer } from './support/platform.js';
import { type Proxy, startProxy } from './support/proxy.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceHeaders, serviceVariables, verify } from './support/verification.js';

const isThere = process.env[NGINX_VARIABLE] !== undefined;
if (!isThere) process.stderr.write(`Left out: the gateway's tests, which want ${NGINX_VARIABLE}=/usr/sbin/nginx\n`);
const withNginx = isThere ? describe : describe.skip;

const PINS = '/api/pinning/pins';

/** What servers and frameworks believe of a proxy; the last are set by nginx itself. */
const CLIENT_HEADERS = [
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-method',
  'x-forwarded-method',
  'x-rewrite-url',
  'x-original-url',
  'x-original-uri',
  'x-override-url',
  'x-forwarded-uri',
  'x-forwarded-path',
  'x-forwarded-prefix',
  'x-forwarded-host',
  'x-forwarded-server',
  'x-forwarded-port',
  'x-forwarded-scheme',
  'x-forwarded-ssl',
  'x-original-host',
  'x-host',
  'x-http-host-override',
  'front-end-https',
  'true-client-ip',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-originating-ip',
  'x-original-forwarded-for',
  'x-forwarded',
  'forwarded-for',
  'x-remote-ip',
  'x-remote-addr',
  'client-ip',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'fastly-client-ip',
  'x-azure-clientip',
  'x-envoy-external-address',
  'forwarded',
  'proxy',
  'remote-user',
  'x-remote-user',
  'x-forwarded-user',
  'x-forwarded-email',
  'x-forwarded-client-cert',
  'x-ssl-client-verify',
  'traceparent',
  'tracestate',
  'baggage',
  'b3',
  'x-b3-traceid',
  'x-b3-sampled',
  'uber-trace-id',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-request-id',
];

withNginx('nginx, with deploy/nginx.conf', () => {
  let service: TestService;
  let proxy: Proxy;
  let platform: SmallServer;
  let gateway: Gateway;
  let admin: IssuedKey;
  beforeAll(async () => {
    service = await startService();
    proxy = await startProxy('127.0.0.1', Number(new URL(service.client.url).port));
    platform = await startPlatform();
    gateway = await startNginx({ keys: `127.0.0.1:${proxy.port}`, platform: platform.address });
    admin = await issueKey(service.client, 'ann');
  });
  afterAll(async () => {
    await gateway?.stop();
    await platform?.stop();
    await proxy?.cut();
    await service?.stop();
  });

  const get = (path: string, headers: Record<string, string | string[]>) =>
    gateway.client.call('GET', path, { headers });

  describe.each(SCOPES.filter((scope) => scope !== 'admin'))('a route that needs %s', (scope) => {
    const routes = ROUTE_TABLE.filter((route) => route.scope === scope);
    it.each(routes)('is open to a key that has it, and to no other: $method $path', async ({ method, path }) => {
      const others = SCOPES.filter((name) => name !== scope && name !== 'admin');
      const right = await issueKey(service.client, 'ann', bodyWith([scope]));
      const wrong = await issueKey(service.client, 'ann', bodyWith(others));
      const url = path.replace(/:.*/, randomUUID());
      for (const spelling of [url, `${url}/`, `${url}?a=%2f..`]) {
        const passed = await gateway.client.call(method, spelling, { headers: pairHeaders(right) });
        expect([passed.status, passed.body.method, passed.body.url]).toEqual([200, method, spelling]);
        expect(passed.body.headers['x-w3ipfs-scopes']).toBe(scope);
        const refused = await gateway.client.call(method, spelling, { headers: pairHeaders(wrong) });
        expect([refused.status, refused.body.error.code]).toEqual([403, 'insufficient_scope']);
        expect(refused.headers['x-w3ipfs-code']).toBe('INSUFFICIENT_SCOPE');
      }
    });
  });

  it('tells the platform who is calling, and keeps the credentials to itself', async () => {
    const pairs = [pairHeaders(admin), { 'Pinning-API-Key': admin.api_key, 'pinning-secret-key': admin.secret_key }];
    for (const headers of [...pairs, sessionOf('ann')]) {
      const echo = (await get(PINS, headers)).body;
      expect(echo.headers).toMatchObject({ 'x-w3ipfs-owner': 'ann', 'x-w3ipfs-scopes': SCOPES.join(' ') });
      expect(echo.headers['x-w3ipfs-key-id']).toBe('authorization' in headers ? undefined : admin.id);
      expect(JSON.stringify(echo)).not.toMatch(/pinning.?(api|secret).?key|authorization|w3s_|eyJ/i);
    }
  });

  it('knows a key by one string or by HTTP Basic as well, and keeps that to itself', async () => {
    const lister = await issueKey(service.client, 'ann', bodyWith(['data.pin_list']));
    for (const authorization of [bearerOf(lister), basicOf(lister)]) {
      const { status, body } = await get(PINS, { authorization });
      expect([status, body.headers['x-w3ipfs-key-id']]).toEqual([200, lister.id]);
      expect(JSON.stringify(body)).not.toMatch(/authorization|w3[ks]_|dzNr/i);
      expect((await get('/api/nft/nfts', { authorization })).status).toBe(403);
    }
  });

  it('believes no client who it says it is, nor which route it means', async () => {
    const names = ['owner', 'key-id', 'scopes', 'code', 'anything'].flatMap((name) => spellingsOf(`x-w3ipfs-${name}`));
    const forged = Object.fromEntries(names.map((name) => [name, 'forged']));
    const route = { 'x-original-method': 'GET', 'x-original-uri': PINS };
    const otherRoute = { 'x-forwarded-method': 'GET', 'x-forwarded-uri': PINS, 'x-forwarded-for': '192.0.2.7' };
    const echo = (await get(PINS, { ...sessionOf('ann'), ...forged, ...route, ...otherRoute })).body;
    const heard = Object.keys(echo.headers).filter((name) => echo.headers[name] === 'forged');
    expect(heard.toSorted()).toEqual(spellingsOf('x-w3ipfs-anything').toSorted());
    expect(echo.headers).toMatchObject({ 'x-w3ipfs-owner': 'ann', 'x-forwarded-for': '127.0.0.1' });

    const unpins = pairHeaders(await issueKey(service.client, 'ann', bodyWith(['data.pin_list'])));
    const answer = await get('/api/nft/nfts', { ...unpins, ...forged, ...route, ...otherRoute });
    expect(answer.status).toBe(403);
  });

  describe('hands on nothing by which a client could pass for a proxy', () => {
    const forged = (name: string) => Object.fromEntries(spellingsOf(name).map((spelling) => [spelling, 'forged']));
    const heard = (headers: Record<string, string>) => Object.keys(headers).filter((one) => headers[one] === 'forged');

    it.each(CLIENT_HEADERS)('to the platform: %s', async (name) => {
      const { status, body } = await get(PINS, { ...sessionOf('ann'), ...forged(name) });
      expect([status, body.method, body.url, heard(body.headers)]).toEqual([200, 'GET', PINS, []]);
    });

    it('but what is not one of these passes as it is', async () => {
      const { body } = await get(PINS, { ...sessionOf('ann'), 'x-of-the-app': 'forged', accept: 'forged' });
      expect(heard(body.headers).toSorted()).toEqual(['accept', 'x-of-the-app']);
    });

    it('to the key service, which gets the credentials as they were sent', async () => {
      let got: Record<string, string> = {};
      const keys = await startServer(({ headers }, response) => {
        got = headers as Record<string, string>;
        response.end('{}');
      });
      const other = await startNginx({ keys: keys.address, platform: platform.address });
      const all = Object.assign({}, ...[...CLIENT_HEADERS, 'x-w3ipfs-owner', 'x-w3ipfs-key-id'].map(forged));
      const names = Object.keys(all);
      // No more than fit into a request's headers at once
      for (let from = 0; from < names.length; from += 100) {
        const some = Object.fromEntries(names.slice(from, from + 100).map((one) => [one, 'forged']));
        await other.client.get('/api/apiKeys/list', { ...some, ...pairHeaders(admin), 'x-of-the-app': 'kept' });
        expect([heard(got), got['x-of-the-app'], got['pinning_secret_key']]).toEqual([[], 'kept', admin.secret_key]);
      }
      await other.stop();
      await keys.stop();
    });
  });

  it('refuses whoever is not known, and says how to be', async () => {
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
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="w3ipfs"');
      expect(answer.body.request_id).toBe(answer.headers['x-request-id']);
    }
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
    '/api/users',
    '/',
  ])('lets nobody through by %s', async (path) => {
    const answer = await get(path, pairHeaders(admin));
    expect([answer.status, answer.headers['x-w3ipfs-code']]).toEqual([403, 'INSUFFICIENT_SCOPE']);
  });

  it('answers nothing that a client can send with a 5xx', async () => {
    const { api_key, secret_key } = admin;
    const pair = `pinning_api_key: ${api_key}\r\npinning_secret_key: ${secret_key}\r\n`;
    const { authorization } = sessionOf('ann');
    const requests: [number | number[], string][] = [
      [200, `GET ${PINS} HTTP/1.1\r\n${pair}X-Odd: a\x01b\r\nContent-Type: a\r\nContent-Type: b\r\n`],
      [200, `GET ${PINS} HTTP/1.1\r\n${pair}${`X-Long: ${'x'.repeat(7_000)}\r\n`.repeat(2)}`],
      [200, `GET ${PINS}?${'q'.repeat(7_000)} HTTP/1.1\r\n${pair}Cookie: ${'c'.repeat(8_000)}\r\n`],
      [200, `HEAD ${PINS} HTTP/1.1\r\n${pair}`],
      [401, `GET ${PINS} HTTP/1.1\r\npinning_api_key: \x01\r\npinning_secret_key: \x7f\xff\r\n`],
      [401, `GET ${PINS} HTTP/1.1\r\npinning_api_key: ${'a'.repeat(8_000)}\r\npinning_secret_key: ${secret_key}\r\n`],
      [401, `GET ${PINS} HTTP/1.1\r\nAuthorization: Bearer \x02\r\n`],
      [401, `GET ${PINS} HTTP/1.1\r\nAuthorization: Bearer ${'a'.repeat(8_000)}\r\n`],
      [403, `GET ${PINS} HTTP/1.1\r\n${pair}Authorization: ${authorization}\r\n`],
      [403, `PUT ${PINS} HTTP/1.1\r\n${pair}`],
      [403, `BREW ${PINS} HTTP/1.1\r\n${pair}`],
      [403, `GET /api/pinning/caf\xe9 HTTP/1.1\r\n${pair}`],
      [403, `GET /api/pinning/${'a'.repeat(4_000)} HTTP/1.1\r\n${pair}`],
      [400, `GET /../x HTTP/1.1\r\n${pair}`],
      [400, `GET /api/pinning/%00 HTTP/1.1\r\n${pair}`],
      [414, `GET /api/pinning/${'a'.repeat(9_000)} HTTP/1.1\r\n${pair}`],
      // nginx before 1.23 reads the first of two, later ones both together: neither reaches the platform
      [[200, 401], `GET ${PINS} HTTP/1.1\r\n${pair}pinning-secret-key: other\r\n`],
    ];
    for (const [expected, head] of requests) {
      const answer = await sendRaw(gateway.port, head);
      const status = Number(answer.split(' ')[1]);
      expect([head.slice(0, 60), [expected].flat()]).toEqual([head.slice(0, 60), expect.arrayContaining([status])]);
      expect(answer).not.toMatch(/pinning.secret.key/);
    }
  });

  it('hands uploads on whole, and asks the key service without them', async () => {
    const body = Buffer.alloc(3_000_000, 'x');
    const headers = { ...pairHeaders(admin), 'content-type': 'multipart/form-data; boundary=x' };
    const answer = await gateway.client.call('POST', '/api/pinning', { headers, body });
    expect([answer.status, answer.body.bytes]).toEqual([200, body.length]);
    expect(answer.body.headers['content-type']).toBe(headers['content-type']);
  });

  it.each([304, 400, 401, 403, 404, 418, 429, 500, 502, 503, 504])(
    'passes the platform\u2019s own %d on as it is',
    async (status) => {
      const answer = await get(`${PINS}?status=${status}`, pairHeaders(admin));
      expect(answer.status).toBe(status);
      expect(answer.headers).not.toHaveProperty('x-w3ipfs-code');
      if (status !== 304) expect(answer.body.url).toBe(`${PINS}?status=${status}`);
    },
  );

  it('leads to the key service for the keys themselves, but not to what services and gateways ask', async () => {
    expect((await get('/api/apiKeys/testAuthentication/', pairHeaders(admin))).status).toBe(200);
    expect((await gateway.client.post('/api/apiKeys/', sessionOf('ann'), bodyWith([]))).status).toBe(200);
    for (const path of ['authorize?scope=admin', 'verify', 'verify/batch', '%76erify', '/authorize/', './verify']) {
      const answer = await gateway.client.post(`/api/apiKeys/${path}`, pairHeaders(admin), {});
      expect([answer.status, answer.body.error.code]).toEqual([404, 'route_not_found']);
    }
    expect((await get('/_w3ipfs_authorize', pairHeaders(admin))).status).toBe(404);
  });

  it('answers 503 while the key service is away, and the platform after it is back', async () => {
    await proxy.cut();
    const answer = await get(PINS, pairHeaders(admin));
    await proxy.mend();
    expect([answer.status, answer.body.error.code, answer.headers['retry-after']]).toEqual([503, 'unavailable', '2']);
    expect((await get(PINS, pairHeaders(admin))).status).toBe(200);
  });
});

withNginx('nginx, by what the key service answers', () => {
  const answered = { status: 403, headers: {} as Record<string, string> };
  const asked: string[] = [];
  let keys: SmallServer;
  let platform: SmallServer;
  let gateway: Gateway;
  beforeAll(async () => {
    keys = await startServer(({ method, url }, response) => {
      asked.push(`${method} ${url}`);
      response.writeHead(answered.status, answered.headers).end('{}');
    });
    platform = await startPlatform();
    gateway = await startNginx({ keys: keys.address, platform: platform.address });
  });
  afterAll(async () => {
    await gateway?.stop();
    await keys?.stop();
    await platform?.stop();
  });

  async function answerTo(code: string, status = 403) {
    Object.assign(answered, {
      status,
      headers: {
        'X-W3IPFS-Code': code,
        'Retry-After': '7',
        RateLimit: '"key";r=0;t=7',
        'RateLimit-Policy': '"key";q=5',
      },
    });
    return gateway.client.call('POST', '/api/pinning', { body: { some: 'upload' } });
  }

  it('turns a rate limit, which travels as 403, back into 429', async () => {
    const answer = await answerTo('RATE_LIMITED');
    expect([answer.status, answer.body.error.code]).toEqual([429, 'rate_limited']);
    expect(answer.headers).toMatchObject({
      'retry-after': '7',
      ratelimit: '"key";r=0;t=7',
      'ratelimit-policy': '"key";q=5',
      'x-w3ipfs-code': 'RATE_LIMITED',
      'content-type': 'application/json',
    });
    expect(asked).toEqual(['GET /api/apiKeys/authorize?deny=403']);
  });

  it.each([
    ['USAGE_EXCEEDED', 'usage_exceeded'],
    ['IP_NOT_ALLOWED', 'ip_not_allowed'],
    ['INSUFFICIENT_SCOPE', 'insufficient_scope'],
    ['INVALID_CREDENTIALS', 'ambiguous_credentials'],
  ])('gives %s the name that it has elsewhere', async (code, name) => {
    const answer = await answerTo(code);
    expect([answer.status, answer.body.error.code]).toEqual([403, name]);
  });

  it.each([400, 404, 429, 500, 503])('answers 503 where it does not understand the key service: %d', async (status) => {
    const answer = await answerTo('WHATEVER', status);
    expect([answer.status, answer.body.error.code]).toEqual([503, 'unavailable']);
  });

  it('answers 503 while the platform is away', async () => {
    await platform.stop();
    const answer = await answerTo('VALID', 200);
    expect([answer.status, answer.body.error.code]).toEqual([503, 'unavailable']);
  });
});

withNginx('nginx, before two processes of the key service', () => {
  let service: TestService;
  let proxies: [Proxy, Proxy];
  let platform: SmallServer;
  let gateway: Gateway;
  let admin: IssuedKey;
  beforeAll(async () => {
    service = await startService(serviceVariables);
    const port = Number(new URL(service.client.url).port);
    proxies = [await startProxy('127.0.0.1', port), await startProxy('127.0.0.1', port)];
    platform = await startPlatform();
    const keys = proxies.map((proxy) => `127.0.0.1:${proxy.port}`) as [string, string];
    gateway = await startNginx({ keys, platform: platform.address });
    admin = await issueKey(service.client, 'ann');
  });
  afterAll(async () => {
    await gateway?.stop();
    await platform?.stop();
    for (const proxy of proxies) await proxy.cut();
    await service?.stop();
  });

  /** Twenty requests of each kind: how often each status came, and the longest that one took, in milliseconds. */
  async function ask(): Promise<{ statuses: Record<number, number>; longest: number }> {
    const statuses: Record<number, number> = {};
    let longest = 0;
    for (let round = 0; round < 20; round++) {
      for (const call of [
        () => gateway.client.get(PINS, pairHeaders(admin)),
        () => gateway.client.post('/api/apiKeys', sessionOf('ann'), bodyWith([])),
        () => verify(gateway.inside, admin),
      ]) {
        const began = performance.now();
        const { status } = await call();
        longest = Math.max(longest, performance.now() - began);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    }
    return { statuses, longest };
  }

  it('shows nobody that one of them is away, nor that it returns', async () => {
    for (const away of proxies) {
      await away.cut();
      const { statuses, longest } = await ask();
      const before = away.connections();
      await away.mend();
      expect(statuses).toEqual({ 200: 60 });
      expect(longest).toBeLessThan(1_000);
      expect((await ask()).statuses).toEqual({ 200: 60 });
      // Until the one that was away has been taken in again, the other must not go
      await until(async () => {
        expect((await gateway.inside.get('/health/live')).status).toBe(200);
        return away.connections() > before;
      }, 'nginx to take it in again');
    }
  });

  it('answers 503 while both are away, and is itself within two seconds of their return', async () => {
    for (const proxy of proxies) await proxy.cut();
    const away = [
      await gateway.client.get(PINS, pairHeaders(admin)),
      await gateway.client.get('/api/apiKeys/list', pairHeaders(admin)),
      await verify(gateway.inside, admin),
    ];
    for (const { status, headers, body } of away) {
      expect([status, headers['retry-after'], body.error.code]).toEqual([503, '2', 'unavailable']);
      expect(body.request_id).toBe(headers['x-request-id']);
    }
    const before = proxies.map((proxy) => proxy.connections());
    for (const proxy of proxies) await proxy.mend();
    const mendedAt = performance.now();
    const isServed = async () => (await gateway.inside.get('/health/live')).status === 200;
    await until(isServed, 'nginx to take them in again');
    expect(performance.now() - mendedAt).toBeLessThan(2_000);
    const areBoth = () => proxies.every((proxy, index) => proxy.connections() > (before[index] ?? 0));
    await until(async () => (await isServed()) && areBoth(), 'both to be taken in again');
    expect((await ask()).statuses).toEqual({ 200: 60 });
  });

  it('leads services to what they ask, and to nothing besides', async () => {
    expect((await verify(gateway.inside, admin)).body.data.code).toBe('VALID');
    expect((await gateway.inside.get('/health/ready')).status).toBe(200);
    for (const path of ['/metrics', '/docs', PINS]) {
      const answer = await gateway.inside.get(path, serviceHeaders);
      expect([answer.status, answer.body.error.code]).toEqual([404, 'route_not_found']);
    }
  });

  it('refuses a body that is too large, as the key service would', async () => {
    const body = Buffer.alloc(65_537, ' ');
    const refused = [
      await gateway.client.post('/api/apiKeys', sessionOf('ann'), body),
      await gateway.inside.post('/api/apiKeys/verify', serviceHeaders, body),
    ];
    for (const answer of refused) expect([answer.status, answer.body.error.code]).toEqual([413, 'payload_too_large']);
    const upload = await sendRaw(gateway.port, 'POST /api/pinning HTTP/1.1\r\nContent-Length: 2000000000\r\n');
    expect(upload).toContain('"code":"payload_too_large"');
  });

  it('takes 256 requests from one address at once', async () => {
    const slow = range(256).map(() => connect(gateway.port, '127.0.0.1'));
    for (const socket of slow) socket.write('POST /api/apiKeys HTTP/1.1\r\nHost: gateway\r\nContent-Length: 9\r\n\r\n');
    const list = () => gateway.client.get('/api/apiKeys/list', pairHeaders(admin));
    await until(async () => (await list()).status === 429, 'nginx to have read them all');
    const { headers, body } = await list();
    expect([headers['retry-after'], body.error.code]).toEqual(['2', 'rate_limited']);
    for (const socket of slow) socket.destroy();
    await until(async () => (await list()).status === 200, 'nginx to notice that they have gone');
  });
});

/** Every way to write a name with a hyphen or an underscore in each of the places for one. */
function spellingsOf(name: string): string[] {
  return name
    .split('-')
    .reduce<string[]>(
      (starts, part) =>
        starts.length === 0 ? [part] : starts.flatMap((start) => [`${start}-${part}`, `${start}_${part}`]),
      [],
    );
}

/** Sends the lines as they are, and reads until nginx hangs up. */
async function sendRaw(port: number, head: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(Buffer.from(`${head}Host: gateway\r\nConnection: close\r\n\r\n`, 'latin1'));
  return text(socket);
}
