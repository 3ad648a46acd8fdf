import { request } from 'node:http';
import { pathsOf, outcomeOf } from './support/answers.js';
import { documentedBody, issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { pairOf, serviceHeaders, serviceVariables } from './support/verification.js';

let key: IssuedKey;
const service = useService(serviceVariables);
beforeAll(async () => {
  key = await issueKey(service.client, 'ann', powerlessBody);
});

const session = sessionOf('ann');
const AUTHORITIES = [
  'http://host',
  'https://keys.example:8443',
  'HTTP://Host',
  'http://user:word@host',
  'http://[::1]:80',
];

describe('a target that is a whole URL (RFC 9112, 3.2.2)', () => {
  const call = (method: string, target: string, body?: object, headers: Record<string, string> = session) =>
    service.client.call(method, target, { headers, body });

  it.each(AUTHORITIES)('is handled like its path: %s', async (authority) => {
    const listed = await call('GET', `${authority}/api/apiKeys/list?limit=1`);
    expect([listed.status, listed.body.data.api_keys]).toEqual([200, [expect.objectContaining({ id: key.id })]]);
    expect((await call('GET', `${authority}/api/apiKeys/${key.id}/`)).body.data.id).toBe(key.id);
    const { body } = await call('POST', `${authority}/api/apiKeys/verify`, pairOf(key), serviceHeaders);
    expect(body.data.valid).toBe(true);
    const authorized = await call('GET', `${authority}/api/apiKeys/authorize?scope=admin`, undefined, pairHeaders(key));
    expect(outcomeOf(authorized)).toBe('403 insufficient_scope');
  });

  it.each([
    ['GET', '/api/apiKeys/list?x=1', undefined],
    ['GET', '/api/apiKeys/testAuthentication?x=1', undefined],
    ['GET', '/api/apiKeys/authorize?scope=admin&x=1', undefined],
    ['DELETE', '/api/apiKeys/0197b1f5-5c1b-7000-8000-000000000000?x=1', undefined],
    ['POST', '/api/apiKeys?x=1', documentedBody],
    ['POST', '/api/apiKeys/report-leak?x=1', { api_key: 'x', secret_key: 'y' }],
  ])('does not bypass the check of unknown parameters: %s %s', async (method, path, body) => {
    for (const authority of ['', ...AUTHORITIES]) {
      const answer = await call(method, authority + path, body);
      expect([authority, outcomeOf(answer), pathsOf(answer)]).toEqual([authority, '400 validation_failed', ['x']]);
    }
    const names = await call('GET', 'http://host/api/apiKeys/list?toString=1');
    expect(pathsOf(names)).toEqual(['toString']);
  });

  it.each(['/api/apiKeys/verify', '/api/apiKeys/verify/batch'])(
    'does not bypass it on the fast path: %s',
    async (path) => {
      const answer = await call('POST', `http://host${path}?x=1`, pairOf(key), serviceHeaders);
      expect([outcomeOf(answer), pathsOf(answer)]).toEqual(['400 validation_failed', ['x']]);
    },
  );

  it('is refused early like its path', async () => {
    expect(outcomeOf(await call('POST', 'http://host/api/apiKeys', documentedBody, {}))).toBe('401 unauthenticated');
    const text = { ...session, 'content-type': 'text/plain' };
    expect(outcomeOf(await call('POST', 'http://host/api/apiKeys', documentedBody, text))).toBe(
      '415 unsupported_media_type',
    );
  });

  it('is named by its path if the route or method does not exist', async () => {
    const nothing = await call('GET', 'http://user:word@host/api/nothing');
    expect([nothing.status, nothing.body.error.message]).toEqual([404, 'There is no GET /api/nothing.']);
    const put = await call('PUT', 'http://host/api/apiKeys');
    expect([outcomeOf(put), put.headers.allow]).toEqual(['405 method_not_allowed', 'POST']);
    for (const target of ['http://host', 'http://host?x=/api/apiKeys/list', 'http://host/?x']) {
      const { status, body } = await call('GET', target);
      expect([target, status, body.data?.docs]).toEqual([target, 200, '/docs']);
    }
  });
});

it('answers a target that begins with an asterisk with an ordinary 404', async () => {
  for (const path of ['*', '*api/apiKeys/list', '*health/live', `*api/apiKeys/${key.id}`]) {
    const { status, body, headers } = await service.client.call('GET', path, { headers: session });
    expect(headers).toMatchObject({ 'x-request-id': body.request_id, 'cache-control': 'no-store' });
    expect([path, status, body.error.message]).toEqual([path, 404, `There is no GET /${path}.`]);
  }
});

it('refuses a fragment, which a target cannot have: the text after it would drop out of the query', async () => {
  for (const target of [
    '/api/apiKeys/testAuthentication#x=1',
    '/api/apiKeys/list#x=1',
    '/api/apiKeys/list?limit=1#x',
    'http://host/api/apiKeys/list#?x=1',
  ])
    expect([target, outcomeOf(await service.client.get(target, session))]).toEqual([target, '400 validation_failed']);
});

describe('an empty body without a type', () => {
  /** As curl -d '' and PowerShell send it; without a length, as others do; or as zero chunks. */
  const FRAMES = [{ 'content-length': '0' }, {}, { 'transfer-encoding': 'chunked' }];
  const TYPES = ['application/x-www-form-urlencoded', 'text/plain', 'application/json', 'application/octet-stream'];
  const send = (method: string, path: string, headers: Record<string, string>) =>
    new Promise<{ status: number; body: any }>((resolve, reject) => {
      const outgoing = request(
        service.client.url + path,
        { method, headers: { ...session, ...headers } },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
        },
      );
      if (!('content-length' in headers) && !('transfer-encoding' in headers))
        for (const name of ['content-length', 'transfer-encoding']) outgoing.removeHeader(name);
      outgoing.on('error', reject);
      outgoing.end();
    });
  const each = FRAMES.flatMap((frame) => TYPES.map((type) => Object.assign({ 'content-type': type }, frame)));

  it.each(each)('counts as no body for DELETE and for a rotation: %j', async (headers) => {
    const one = await issueKey(service.client, 'ann', powerlessBody);
    const rotated = await send('POST', `/api/apiKeys/${one.id}/rotate`, headers);
    expect([rotated.status, rotated.body.data?.secret_key]).toEqual([200, expect.stringMatching(/^w3s_/)]);
    const deleted = await send('DELETE', `/api/apiKeys/${one.id}`, headers);
    expect([deleted.status, deleted.body.data]).toEqual([200, { revoked: 1, complete: true }]);
  });

  it.each(each)('counts as missing where a body is required, whatever its type: %j', async (headers) => {
    const created = await send('POST', '/api/apiKeys', headers);
    expect([created.status, created.body.error.code]).toEqual([400, 'validation_failed']);
    expect(created.body.error.message).toMatch(/no body/i);
    expect(created.body.error.details.map(({ path }: { path: string }) => path)).toEqual(
      expect.arrayContaining(['name', 'scopes']),
    );
    const reported = await send('POST', '/api/apiKeys/report-leak', headers);
    expect([reported.status, reported.body.error.message]).toEqual([400, expect.stringMatching(/no body/i)]);
    for (const path of ['/api/apiKeys/verify', '/api/apiKeys/verify/batch']) {
      const { status, body } = await send('POST', path, { ...headers, ...serviceHeaders });
      expect([path, status, body.error.message]).toEqual([path, 400, expect.stringMatching(/no body/i)]);
    }
  });

  it('is not invalid JSON either', async () => {
    const one = await issueKey(service.client, 'ann', powerlessBody);
    for (const type of ['nonsense', '', ';', 'application/json; charset=utf-16'])
      for (const frame of FRAMES.slice(0, 2)) {
        const { status } = await send('POST', `/api/apiKeys/${one.id}/rotate`, { ...frame, 'content-type': type });
        expect([type, frame, status]).toEqual([type, frame, 200]);
      }
    const chunked = { 'transfer-encoding': 'chunked', 'content-type': 'nonsense' };
    expect((await send('POST', `/api/apiKeys/${one.id}/rotate`, chunked)).status).toBe(200);
    const zeros = { 'content-type': 'text/plain', 'content-length': '00' };
    expect((await send('DELETE', `/api/apiKeys/${one.id}`, zeros)).status).toBe(200);
  });

  it('is still refused if it is not empty, in chunks too', async () => {
    for (const frame of [{}, { 'transfer-encoding': 'chunked' }]) {
      const headers = { ...session, 'content-type': 'text/plain', ...frame };
      const answer = await new Promise<number>((resolve, reject) => {
        const outgoing = request(`${service.client.url}/api/apiKeys/${key.id}/rotate`, { method: 'POST', headers });
        outgoing.on('response', (response) => resolve(response.resume().statusCode ?? 0));
        outgoing.on('error', reject);
        outgoing.end('{}');
      });
      expect(answer).toBe(415);
    }
  });
});
