import { connect } from 'node:net';
import { pathsOf } from './support/answers.js';
import type { Answer } from './support/client.js';
import { documentedBody } from './support/keys.js';
import { startService, useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceHeaders, serviceVariables } from './support/verification.js';

const service = useService(serviceVariables);

const TOKEN = `Authorization: ${serviceHeaders.authorization}\r\n`;

function expectEnvelope(answer: Answer, status: number, code: string): void {
  expect(answer.status).toBe(status);
  expect(answer.body).toMatchObject({ status: 'error', error: { code, message: expect.any(String) } });
  expect(answer.body.request_id).toBe(answer.headers['x-request-id']);
}

describe('requests that the framework rejects itself', () => {
  it('has our envelope: an unknown route', async () => {
    expectEnvelope(await service.client.get('/api/nothing'), 404, 'route_not_found');
    expectEnvelope(await service.client.get('/api/health/live'), 404, 'route_not_found');
  });

  it.each([
    ['PUT', '/api/apiKeys', 'POST'],
    ['GET', '/api/apiKeys/', 'POST'],
    ['POST', '/api/apiKeys/list?x', 'GET, HEAD'],
    ['DELETE', '/api/apiKeys/list', 'GET, HEAD'],
    ['PATCH', '/api/apiKeys/list/', 'GET, HEAD'],
    ['DELETE', '/api/apiKeys/l%69st', 'GET, HEAD'],
    ['DELETE', '/api/apiKeys/events', 'GET, HEAD'],
    ['PATCH', '/api/apiKeys/testAuthentication?cascade=true', 'GET, HEAD'],
    ['GET', '/api/apiKeys/report-leak', 'POST'],
    ['HEAD', '/api/apiKeys/verify', 'POST'],
    ['GET', '/api/apiKeys/verify', 'POST'],
    ['DELETE', '/api/apiKeys/verify', 'POST'],
    ['GET', '/api/apiKeys/verify/batch', 'POST'],
    ['DELETE', '/api/apiKeys/authorize', 'GET, HEAD'],
    ['PUT', '/api/apiKeys/authorize', 'GET, HEAD'],
    ['PUT', '/api/apiKeys/01a20b9d-c4d9-7123-b878-6eb9911deb3f', 'DELETE, GET, HEAD, PATCH'],
    ['PATCH', '/health/live', 'GET, HEAD'],
    ['POST', '/', 'GET, HEAD'],
    ['QUERY', '/api/apiKeys', 'POST'],
  ])('has our envelope: %s %s, with the allowed methods', async (method, path, allow) => {
    for (const headers of [{}, sessionOf('ann')]) {
      const answer = await service.client.call(method, path, { headers });
      expect([answer.status, answer.headers.allow]).toEqual([405, allow]);
      if (method !== 'HEAD') expectEnvelope(answer, 405, 'method_not_allowed');
    }
  });

  it.each(['/docs/nothing', '/docs/../package.json', '/docs/%2e%2e/package.json', `/api/apiKeys/x/${'y'.repeat(200)}`])(
    'has our envelope: nothing at %s',
    async (path) => {
      expectEnvelope(await service.client.get(path), 404, 'route_not_found');
    },
  );

  it('has our envelope: a path that is too long, as opposed to one that does not decode', async () => {
    const answer = await service.client.get(`/api/apiKeys/${'y'.repeat(8_193)}`);
    expectEnvelope(answer, 404, 'route_not_found');
    expect(answer.body.error.message).toMatch(/more than 8,192 characters/);
  });

  it('has our envelope: a path that does not decode', async () => {
    expectEnvelope(await service.client.get('/api/%zz'), 400, 'validation_failed');
  });

  it.each([
    ['no HTTP at all', 'GARBAGE\r\n\r\n', 400, 'validation_failed'],
    ['an unknown method', 'BREW / HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'validation_failed'],
    [
      'two lengths',
      'POST /api/apiKeys HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
      'validation_failed',
    ],
    ['no Host', 'GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'validation_failed'],
    [
      'two Hosts',
      'GET /health/live HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n',
      400,
      'validation_failed',
    ],
    [
      'an unsupported transfer encoding',
      'POST /api/apiKeys/verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n' +
        'Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
      400,
      'validation_failed',
    ],
    ['headers over 16 KiB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'payload_too_large'],
  ])('has our envelope: %s', async (_, bytes, status, code) => {
    const { head, body } = await raw(bytes);
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(body)).toMatchObject({ status: 'error', error: { code }, request_id: expect.any(String) });
    expect(head.toLowerCase()).toContain(`x-request-id: ${JSON.parse(body).request_id}`);
  });

  it('has our envelope: a second character set', async () => {
    const headers = { ...sessionOf('ann'), 'content-type': 'application/json; charset=utf-8; charset=utf-16' };
    expectEnvelope(await service.client.post('/api/apiKeys', headers, documentedBody), 415, 'unsupported_media_type');
  });

  it('still serves after all these', async () => {
    expect((await service.client.get('/health/ready')).status).toBe(200);
  });
});

it.each([
  ['GET', '/api/apiKeys/testAuthentication', {}],
  ['POST', '/api/apiKeys', documentedBody],
  ['POST', '/api/apiKeys/report-leak', { api_key: 'x', secret_key: 'y' }],
])('names the unknown query parameters of %s %s', async (method, path, sent) => {
  const body = method === 'GET' ? undefined : sent;
  const answer = await service.client.call(method, `${path}?x=1&y`, { headers: sessionOf('ann'), body });
  expectEnvelope(answer, 400, 'validation_failed');
  expect(pathsOf(answer)).toEqual(['x', 'y']);
});

it('names unknown query parameters on routes without a DTO', async () => {
  const names = ['toString', 'valueOf', '__proto__', 'constructor', 'prototype'];
  const answer = await service.client.get(`/api/apiKeys/list?limit=1&${names.join('&')}`, sessionOf('ann'));
  expectEnvelope(answer, 400, 'validation_failed');
  expect(pathsOf(answer)).toEqual(names);
});

describe('X-Request-Id', () => {
  it.each(['abc', '0f2d9b1e-6c1f-4a57-9d0e-3f7c5b8a9e42', 'trace/1:2=3+4'])(
    'is taken from the request: %s',
    async (id) => {
      const answer = await service.client.get('/health/live', { 'x-request-id': id });
      expect(answer.headers['x-request-id']).toBe(id);
    },
  );

  it.each(['', 'a b', '<script>', 'x'.repeat(129)])('is generated if that is malformed: "%s"', async (id) => {
    const answer = await service.client.get('/health/live', { 'x-request-id': id });
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

it('answers HEAD like GET, without the body', async () => {
  const answer = await service.client.call('HEAD', '/api/apiKeys/list', { headers: sessionOf('ann') });
  expect(answer.status).toBe(200);
  expect(answer.text).toBe('');
});

it('sends no body after HEAD if the headers are too large either', async () => {
  const { head, body } = await raw(`HEAD / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
  expect(head).toMatch(/^HTTP\/1.1 431 /);
  expect(body).toBe('');
});

it('answers a client that waits for 100 Continue', async () => {
  const headers = { ...sessionOf('ann'), expect: '100-continue' };
  expect((await service.client.post('/api/apiKeys', headers, documentedBody)).status).toBe(200);
});

it('ignores an unknown Expect header', async () => {
  const answer = await service.client.get('/api/nothing', { expect: 'the unexpected' });
  expectEnvelope(answer, 404, 'route_not_found');
});

it('answers HTTP/1.0 without a Host, as balancers send', async () => {
  const { head, body } = await raw('GET /health/live HTTP/1.0\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1.1 200 /);
  expect(JSON.parse(body)).toEqual({ status: 'ok' });
});

it('detects a second session behind 2,000 other headers', async () => {
  const session = `Authorization: ${sessionOf('ann').authorization}\r\n`;
  const padding = 'x:1\r\n'.repeat(2_000);
  const path = '/api/apiKeys/testAuthentication';
  const { body } = await raw(
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${session}${padding}${session}\r\n`,
  );
  expect(JSON.parse(body)).toMatchObject({ error: { code: 'ambiguous_credentials' } });
});

it('gives the body no more time than the headers', async () => {
  const server = service.app.getHttpServer();
  server.requestTimeout = server.requestTimeout / 40;
  server.headersTimeout = server.headersTimeout / 40;
  const head = `POST /api/apiKeys/verify HTTP/1.1\r\nHost: x\r\n${TOKEN}Content-Type: application/json\r\nContent-Length: 9\r\n`;
  const began = performance.now();
  const answers = await Promise.all([raw(head), raw(`${head}\r\n{`)]);
  expect(performance.now() - began).toBeLessThan(1_400);
  for (const { head: answered, body } of answers) {
    expect(answered).toMatch(/^HTTP\/1.1 408 /);
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'validation_failed' }, request_id: expect.any(String) });
  }
});

it('finishes a request on the fast path during shutdown, then closes its connection', async () => {
  const ending = await startService(serviceVariables);
  const server = ending.app.getHttpServer();
  const { hostname, port } = new URL(ending.client.url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString()));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  await new Promise<void>((resolve) => {
    server.once('request', () => resolve());
    socket.write(
      `POST /api/apiKeys/verify HTTP/1.1\r\nHost: x\r\n${TOKEN}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{`,
    );
  });
  const stopped = ending.stop();
  await until(() => !server.listening, 'the end of listening');
  socket.write('}');
  await Promise.all([closed, stopped]);
  expect(text).toMatch(/^HTTP\/1.1 400 [^]*\r\nConnection: close\r\n/);
});

function raw(bytes: string): Promise<{ head: string; body: string }> {
  const { hostname, port } = new URL(service.client.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      const [head = '', body = ''] = text.split('\r\n\r\n');
      resolve({ head, body });
    });
  });
}

describe('the address alone', () => {
  const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

  it('redirects a browser to the documentation', async () => {
    const { status, headers } = await service.client.get('/', { accept: BROWSER });
    expect([status, headers.location, headers.vary]).toEqual([302, '/docs', 'Accept']);
  });

  it.each(['*/*', 'application/json', undefined])('tells a program where the API is: %s', async (accept) => {
    const { status, headers, body } = await service.client.get('/', accept === undefined ? {} : { accept });
    expect([status, headers.location, headers.vary]).toEqual([200, undefined, 'Accept']);
    expect(body).toEqual({ data: { docs: '/docs', openapi: '/openapi.json' }, status: 'success' });
    for (const path of Object.values<string>(body.data)) expect((await service.client.get(path)).status).toBe(200);
  });
});
