import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { range } from './support/at-once.js';
import { bodyWith, issueKey, type IssuedKey, pairHeaders } from './support/keys.js';
import { type NginxGateway, NGINX_VARIABLE, startNginx } from './support/nginx.js';
import { type SmallServer, startPlatform, startServer } from './support/platform.js';
import { type Proxy, startProxy } from './support/proxy.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceHeaders, serviceVariables, verify } from './support/verification.js';

const isInstalled = process.env[NGINX_VARIABLE] !== undefined;
if (!isInstalled)
  process.stderr.write(`Skipped: the behaviour of nginx alone, which needs ${NGINX_VARIABLE}=/usr/sbin/nginx\n`);
const withNginx = isInstalled ? describe : describe.skip;

const PINS = '/api/pinning/pins';

withNginx('nginx, depending on the answer of the key service', () => {
  const answered = { status: 403, headers: {} as Record<string, string> };
  const asked: string[] = [];
  let keys: SmallServer;
  let platform: SmallServer;
  let gateway: NginxGateway;
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

  async function answerTo(code: string, status = 403, scope = '') {
    Object.assign(answered, {
      status,
      headers: {
        'X-W3IPFS-Code': code,
        'Retry-After': '7',
        RateLimit: '"key";r=0;t=7',
        'RateLimit-Policy': '"key";q=5',
        'X-W3IPFS-Scope': scope,
      },
    });
    return gateway.client.call('POST', '/api/pinning', { body: { some: 'upload' } });
  }

  it('turns a rate limit, sent as 403, back into 429', async () => {
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

  it('reports which scope is missing, and if none opens the path', async () => {
    const { body, headers } = await answerTo('INSUFFICIENT_SCOPE', 403, 'pinning.unpin');
    expect([body.error.message, headers['x-w3ipfs-scope']]).toEqual([
      'This API key lacks the scope pinning.unpin.',
      'pinning.unpin',
    ]);
    const closed = await answerTo('INSUFFICIENT_SCOPE');
    expect(closed.body.error.message).toMatch(/^No scope opens this path/);
    expect(closed.headers).not.toHaveProperty('x-w3ipfs-scope');
  });

  it.each([
    ['USAGE_EXCEEDED', 'usage_exceeded'],
    ['IP_NOT_ALLOWED', 'ip_not_allowed'],
    ['INSUFFICIENT_SCOPE', 'insufficient_scope'],
    ['INVALID_CREDENTIALS', 'ambiguous_credentials'],
  ])('gives %s the same code as elsewhere', async (code, name) => {
    const answer = await answerTo(code);
    expect([answer.status, answer.body.error.code]).toEqual([403, name]);
  });

  it.each([400, 404, 429, 500, 503])('answers 503 for an unexpected status of the key service: %d', async (status) => {
    const answer = await answerTo('WHATEVER', status);
    expect([answer.status, answer.body.error.code]).toEqual([503, 'unavailable']);
  });

  it('answers 503 while the platform is unavailable', async () => {
    await platform.stop();
    const answer = await answerTo('VALID', 200);
    expect([answer.status, answer.body.error.code]).toEqual([503, 'unavailable']);
  });
});

withNginx('nginx, before two processes of the key service', () => {
  let service: TestService;
  let proxies: [Proxy, Proxy];
  let platform: SmallServer;
  let gateway: NginxGateway;
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

  /** Sends twenty requests of each kind. @returns how often each status came, and the slowest in milliseconds */
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

  it('hides from clients that one of them is unavailable, and that it returns', async () => {
    for (const away of proxies) {
      await away.cut();
      const { statuses, longest } = await ask();
      const before = away.connections();
      await away.mend();
      expect(statuses).toEqual({ 200: 60 });
      expect(longest).toBeLessThan(1_000);
      expect((await ask()).statuses).toEqual({ 200: 60 });
      // The other must not stop before the first is in use again
      await until(async () => {
        expect((await gateway.inside.get('/health/live')).status).toBe(200);
        return away.connections() > before;
      }, 'nginx to take it in again');
    }
  });

  it('answers 503 while both are unavailable, and recovers within two seconds of their return', async () => {
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

  it('routes services to their operations, and to no other', async () => {
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

  it('passes on reports of guards, up to 256 KiB', async () => {
    const report = JSON.stringify({ guard: 'g'.repeat(22), seq: 1, counts: [] });
    const send = (path: string, length: number) =>
      gateway.inside.post(`/api/apiKeys/${path}`, serviceHeaders, report.padEnd(length));
    expect((await send('reports', 262_144)).body).toEqual({ data: { accepted: 0 }, status: 'success' });
    expect((await send('REPORTS/', 262_144)).status).toBe(202);
    expect((await send('reports', 262_145)).body.error.code).toBe('payload_too_large');
  });

  it('answers no client error with a 5xx', async () => {
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
      [200, `PUT ${PINS} HTTP/1.1\r\n${pair}`],
      [405, `TRACE ${PINS} HTTP/1.1\r\n${pair}`],
      [403, `GET /api/pinning/caf\xe9 HTTP/1.1\r\n${pair}`],
      [403, `GET /api/pinning/${'a'.repeat(4_000)} HTTP/1.1\r\n${pair}`],
      [400, `GET /../x HTTP/1.1\r\n${pair}`],
      [400, 'GARBAGE\r\n'],
      [400, `GET ${PINS} HTTP/1.1\r\nTransfer-Encoding: gzip\r\n`],
      [400, `GET ${PINS} HTTP/3.0\r\n`],
      [431, `GET ${PINS} HTTP/1.1\r\nX: ${'x'.repeat(40_000)}\r\n`],
      [400, `GET /api/pinning/%00 HTTP/1.1\r\n${pair}`],
      [414, `GET /api/pinning/${'a'.repeat(9_000)} HTTP/1.1\r\n${pair}`],
      // nginx before 1.23 reads the first of two, later versions both together: neither reaches the platform
      [[200, 401], `GET ${PINS} HTTP/1.1\r\n${pair}pinning-secret-key: other\r\n`],
    ];
    for (const [expected, head] of requests) {
      const answer = await sendRaw(gateway.port, head);
      const status = Number(answer.split(' ')[1]);
      expect([head.slice(0, 60), [expected].flat()]).toEqual([head.slice(0, 60), expect.arrayContaining([status])]);
      expect(answer).not.toMatch(/pinning.secret.key/);
      if (status < 400 || head.startsWith('HEAD')) continue;
      const { error, request_id } = JSON.parse(answer.split('\r\n\r\n')[1] ?? '');
      expect([head.slice(0, 60), error]).toEqual([head.slice(0, 60), { ...error, code: expect.any(String) }]);
      expect(answer).toContain(`X-Request-Id: ${request_id}`);
    }
  });

  it('accepts 256 concurrent requests from one address', async () => {
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

/** Sends the lines unchanged, and reads until nginx closes the connection. */
async function sendRaw(port: number, head: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(Buffer.from(`${head}Host: gateway\r\nConnection: close\r\n\r\n`, 'latin1'));
  return text(socket);
}
