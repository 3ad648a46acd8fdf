import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { RequestBodies } from '../src/http/body/request-bodies.js';
import { RawConnection } from './support/connection.js';
import { documentedBody, issueKey, type IssuedKey, pairHeaders } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { serviceHeaders, serviceVariables } from './support/verification.js';

let key: IssuedKey;
const service = useService(serviceVariables);
beforeAll(async () => {
  key = await issueKey(service.client, 'ann');
});

const pins = { 'x-original-method': 'GET', 'x-original-uri': '/API/pinning/Pins' };

it.each<[string, string, () => object, unknown, number]>([
  ['GET', '/api/apiKeys/list', () => sessionOf('ann'), undefined, 200],
  ['POST', '/api/apiKeys', () => sessionOf('ann'), documentedBody, 200],
  ['GET', '/api/apiKeys/testAuthentication', () => pairHeaders(key), undefined, 200],
  ['GET', '/api/apiKeys/events', () => sessionOf('ann'), undefined, 200],
  ['POST', '/api/apiKeys/report-leak', () => ({}), { api_key: 'x', secret_key: 'y' }, 200],
  ['POST', '/api/apiKeys/verify', () => serviceHeaders, { api_key: 'x', secret_key: 'y' }, 200],
  ['POST', '/api/apiKeys/verify/batch', () => serviceHeaders, { requests: [{ api_key: 'x', secret_key: 'y' }] }, 200],
  ['GET', '/api/apiKeys/authorize', () => ({ ...pairHeaders(key), ...pins }), undefined, 200],
  ['GET', '/api/apiKeys/authorize/at/api/pinning/pins', () => pairHeaders(key), undefined, 200],
  ['GET', '/health/live', () => ({}), undefined, 200],
  ['GET', '/metrics', () => serviceHeaders, undefined, 200],
  ['GET', '/docs', () => ({}), undefined, 200],
  ['GET', '/openapi.json', () => ({}), undefined, 200],
  ['PUT', '/api/apiKeys', () => sessionOf('ann'), undefined, 405],
  ['GET', '/api/apiKeys/list?x=1', () => sessionOf('ann'), undefined, 400],
  ['GET', '/api/apiKeys/testAuthentication?x=1', () => sessionOf('ann'), undefined, 400],
  ['POST', '/api/apiKeys/reports', () => serviceHeaders, { guard: 'g'.repeat(22), seq: 1, counts: [] }, 202],
  ['POST', '/api/apiKeys/verify?x=1', () => serviceHeaders, { api_key: 'x', secret_key: 'y' }, 400],
])('%s %s gets the same answer in any letter case', async (method, path, headers, body, status) => {
  const [name = '', query] = path.split('?');
  const spellings = [name, name.toLowerCase(), name.toUpperCase(), `${name.toLowerCase()}/`];
  for (const spelling of spellings) {
    const url = query ? `${spelling}?${query}` : spelling;
    const answer = await service.client.call(method, url, { headers: headers() as Record<string, string>, body });
    expect([spelling, answer.status, answer.headers.allow]).toEqual([
      spelling,
      status,
      status === 405 ? 'POST' : undefined,
    ]);
    expect(answer.headers).toHaveProperty('x-request-id');
  }
});

it('leaves ids unchanged, and deletes by the path that the platform’s scripts use', async () => {
  const { id } = await issueKey(service.client, 'ann');
  const answer = await service.client.delete(`/api/apikeys/${id.toUpperCase()}`, sessionOf('ann'));
  expect([answer.status, answer.body.message]).toEqual([200, 'API key has been deleted']);
});

it('counts a request under its route, in any letter case', async () => {
  await service.client.get('/API/APIKEYS/LIST', sessionOf('ann'));
  const { text } = await service.client.get('/metrics', serviceHeaders);
  expect(text).toContain('route="/api/apiKeys/list"');
  expect(text).not.toMatch(/route="[^"]*(?:APIKEYS|apikeys)/);
});

it.each(['/api/apikeys', `/API/APIKEYS/${randomUUID()}/ROTATE`, '/Api/Apikeys/Verify'])(
  'reads no body of an unauthenticated caller: POST %s',
  async (path) => {
    const receive = jest.spyOn(service.app.get(RequestBodies, { strict: false }), 'receive');
    const connection = new RawConnection(service.client.url);
    const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 30000\r\n\r\n`;
    await connection.write(head);
    expect(await connection.answers(1)).toEqual([401]);
    expect(receive).not.toHaveBeenCalled();
    receive.mockRestore();
    connection.destroy();
  },
);

it('stores an idempotent answer for the route, not for the spelling of its path', async () => {
  const headers = { ...sessionOf('ann'), 'idempotency-key': randomUUID() };
  const first = await service.client.post('/api/apiKeys', headers, documentedBody);
  const again = await service.client.post('/API/apikeys/', headers, documentedBody);
  expect(again.body).toEqual(first.body);
});
