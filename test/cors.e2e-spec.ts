import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { documentedBody, issueKey, pairHeaders } from './support/keys.js';
import { startService, useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { serviceHeaders, serviceVariables } from './support/verification.js';

const DASHBOARD = 'https://dashboard.example.com';
const from = (origin: string) => ({ origin });
const preflight = (method: string, headers = 'authorization,content-type') => ({
  'access-control-request-method': method,
  'access-control-request-headers': headers,
});

const service = useService({ ...serviceVariables, CORS_ORIGINS: `${DASHBOARD}, http://127.0.0.1:3000` });

/** The names in a header's list, in lower case. */
const listed = (value: unknown) => new Set(String(value).toLowerCase().split(/, */));

const ID = randomUUID();
const CLIENTS: [method: string, path: string][] = [
  ['POST', '/api/apiKeys'],
  ['POST', '/api/apiKeys/'],
  ['GET', '/api/APIKEYS/list?limit=1'],
  ['PATCH', `/api/apiKeys/${ID}`],
  ['DELETE', `/api/apiKeys/${ID}`],
  ['POST', `/api/apiKeys/${ID}/rotate`],
  ['GET', '/api/apiKeys/testAuthentication'],
  ['POST', '/api/apiKeys/report-leak'],
  ['GET', '/api/nothing'],
];

describe.each(CLIENTS)('%s %s', (method, path) => {
  it.each([DASHBOARD, 'http://127.0.0.1:3000'])('may be called by scripts of %s', async (origin) => {
    const answer = await service.client.call('OPTIONS', path, { headers: { ...from(origin), ...preflight(method) } });
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
    expect(listed(answer.headers['access-control-allow-methods'])).toContain(method.toLowerCase());
    expect([...listed(answer.headers['access-control-allow-headers'])]).toEqual(
      expect.arrayContaining(['authorization', 'content-type', 'pinning_api_key', 'pinning-secret-key', 'if-match']),
    );
    expect(listed(answer.headers.vary)).toContain('origin');
    expect(answer.headers).toHaveProperty('x-request-id');
    expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
  });

  it('is not open to other origins', async () => {
    for (const origin of [
      'https://evil.example',
      'null',
      `${DASHBOARD}.evil.example`,
      'HTTPS://dashboard.example.com',
    ]) {
      const answer = await service.client.call('OPTIONS', path, { headers: { ...from(origin), ...preflight(method) } });
      expect(answer.status).toBeGreaterThanOrEqual(404);
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
      expect(answer.headers.vary).toBe('Origin');
    }
  });

  it('sends errors that a script can read', async () => {
    const answer = await service.client.call(method, path, { headers: from(DASHBOARD), body: undefined });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.headers['access-control-allow-origin']).toBe(DASHBOARD);
    expect([...listed(answer.headers['access-control-expose-headers'])]).toEqual(
      expect.arrayContaining(['retry-after', 'x-request-id', 'www-authenticate']),
    );
  });
});

it('exposes the documented response headers to scripts', async () => {
  const headers = { ...sessionOf('ann'), ...from(DASHBOARD) };
  const { id } = (await service.client.post('/api/apiKeys', headers, documentedBody)).body.data;
  const answer = await service.client.get(`/api/apiKeys/${id}`, headers);
  expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, DASHBOARD]);
  expect(answer.headers).toHaveProperty('etag');
  for (const name of ['etag', 'ratelimit', 'ratelimit-policy', 'retry-after', 'x-request-id', 'www-authenticate'])
    expect(listed(answer.headers['access-control-expose-headers'])).toContain(name);
  expect(answer.headers.vary).toBe('Origin');
});

it.each([
  ['a path that does not decode', 'GET', '/api/%zz', 400],
  ['a method that the path does not take', 'PUT', '/api/apiKeys', 405],
  ['a body that is not JSON', 'POST', '/api/apiKeys', 415],
])('answers %s so that a script can read it', async (_, method, path, status) => {
  const body = status === 415 ? { headers: { 'content-type': 'text/plain' }, body: 'x' } : {};
  const headers = { ...sessionOf('ann'), ...body.headers, ...from(DASHBOARD) };
  const answer = await service.client.call(method, path, { ...body, headers });
  expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([status, DASHBOARD]);
});

/** The operations for callers other than clients, which have a tag of their own. */
const NOT_FOR_CLIENTS = Object.entries<Record<string, { tags: string[] }>>(
  JSON.parse(readFileSync('openapi.json', 'utf8')).paths,
).flatMap(([path, operations]) =>
  Object.entries(operations)
    .filter(([, { tags }]) => !tags.includes('API keys'))
    .map(([method]) => [method.toUpperCase(), path]),
);

it.each([
  ...NOT_FOR_CLIENTS,
  ['POST', '/api/apikeys/VERIFY/'],
  ['POST', '/api/apiKeys/v%65rify'],
  ['POST', '/api/apiKeys/verify%2Fbatch'],
  ['GET', '/api/apiKeys/authorize?scope=admin'],
  ['GET', '/api/apiKeys/authorize/at/api/pinning/pins'],
] as [string, string][])('opens no operation of services and gateways: %s %s', async (method, path) => {
  const key = await issueKey(service.client, 'ann');
  const headers = { ...(path.includes('authorize') ? pairHeaders(key) : serviceHeaders), ...from(DASHBOARD) };
  const asked = await service.client.call('OPTIONS', path, { headers: { ...from(DASHBOARD), ...preflight(method) } });
  expect(asked.status).not.toBe(204);
  const answer = await service.client.call(method, path, { headers, body: method === 'POST' ? {} : undefined });
  for (const one of [asked, answer]) expect(one.headers).not.toHaveProperty('access-control-allow-origin');
});

it('treats OPTIONS without preflight headers as an ordinary request', async () => {
  for (const headers of [from(DASHBOARD), preflight('GET'), {}]) {
    const answer = await service.client.call('OPTIONS', '/api/apiKeys', { headers });
    expect([answer.status, answer.body.error.code]).toEqual([405, 'method_not_allowed']);
  }
});

it('answers no preflight if no origin is configured', async () => {
  const closed = await startService();
  const answer = await closed.client.call('OPTIONS', '/api/apiKeys', {
    headers: { ...from(DASHBOARD), ...preflight('POST') },
  });
  await closed.stop();
  expect(answer.status).toBe(405);
  expect(answer.headers).not.toHaveProperty('vary');
});
