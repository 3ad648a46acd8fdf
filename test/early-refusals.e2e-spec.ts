import { jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { RequestBodies } from '../src/http/body/request-bodies.js';
import { RawConnection } from './support/connection.js';
import { basicOf, bearerOf, issueKey, pairHeaders, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf, signToken } from './support/sessions.js';
import { serviceHeaders, serviceVariables } from './support/verification.js';

const PLAIN = 'application/json';
const ROUTES: [method: string, path: string, type: string][] = [
  ['POST', '/api/apiKeys', PLAIN],
  ['PATCH', `/api/apiKeys/${randomUUID()}`, PLAIN],
  ['POST', `/api/apiKeys/${randomUUID()}/rotate`, PLAIN],
  ['DELETE', `/api/apiKeys/${randomUUID()}`, PLAIN],
  ['POST', '/api/apiKeys/verify', PLAIN],
  ['POST', '/api/apiKeys/verify/batch', PLAIN],
  ['POST', '/api/apiKeys/reports', PLAIN],
  // Written so that the fast path does not apply
  ['POST', '/api/apiKeys/verify', 'Application/JSON;charset="UTF-8"'],
];
const isForServices = (path: string) => /verify|reports/.test(path);
const limitOf = (path: string) => (path.endsWith('reports') ? 262_144 : 65_536);
const LENGTH = 30_000;
const KNOWN_LENGTH = { 'Content-Length': String(LENGTH) };
const CHUNKED = { 'Transfer-Encoding': 'chunked' };
const madeUpPair = { api_key: `w3k_${'a'.repeat(20)}`, secret_key: `w3s_${'a'.repeat(40)}` };
const madeUp = pairHeaders(madeUpPair);

const CALLERS: [name: string, headers: Record<string, string>, status: number][] = [
  ['nobody', {}, 401],
  ['a malformed token', { Authorization: 'Bearer abc' }, 401],
  ['an unsigned token', { Authorization: `Bearer ${signToken().split('.').slice(0, 2).join('.')}.` }, 401],
  ['another scheme', { Authorization: 'Digest abc' }, 401],
  ['an invalid pair', madeUp, 401],
  ['an invalid credential', { Authorization: bearerOf(madeUpPair) }, 401],
  ['half a credential', { Authorization: `Bearer ${madeUpPair.api_key}` }, 401],
  ['invalid HTTP Basic', { Authorization: basicOf(madeUpPair) }, 401],
  ['half a pair', { pinning_api_key: madeUp.pinning_api_key }, 401],
];

const service = useService(serviceVariables);

function headOf(method: string, path: string, headers: Record<string, string>): string {
  const lines = Object.entries({ Host: 'x', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

async function converse(act: (connection: RawConnection) => Promise<void>): Promise<void> {
  const connection = new RawConnection(service.client.url);
  await act(connection).finally(() => connection.destroy());
}

describe.each(ROUTES)('%s %s as %s', (method, path, type) => {
  const JSON_TYPE = { 'Content-Type': type };
  const refused = CALLERS.filter(([name]) => !isForServices(path) || !name.includes('pair'));

  it.each(refused)('refuses %s by the headers alone, and continues after the body', (_, headers, status) =>
    converse(async (connection) => {
      const receive = jest.spyOn(service.app.get(RequestBodies, { strict: false }), 'receive');
      await connection.write(headOf(method, path, { ...headers, ...JSON_TYPE, ...KNOWN_LENGTH }));
      expect(await connection.answers(1)).toEqual([status]);
      // The body might be read as the next request
      const smuggled = headOf('GET', '/openapi.json', {});
      await connection.write(smuggled.padEnd(LENGTH, ' '));
      await connection.write(headOf('GET', '/health/live', {}));
      expect(await connection.answers(2)).toEqual([status, 200]);
      expect(connection.text.endsWith('{"status":"ok"}')).toBe(true);
      expect(receive).not.toHaveBeenCalled();
      receive.mockRestore();
    }),
  );

  it('closes the connection after a refusal by the headers if the length of the body is unknown', () =>
    converse(async (connection) => {
      await connection.write(headOf(method, path, { ...JSON_TYPE, ...CHUNKED }));
      expect(await connection.answers(2)).toEqual([401]);
      expect(connection.text).toMatch(/\r\nconnection: close\r\n/i);
    }));

  it.each([
    ['that is too large', 413, { ...JSON_TYPE, 'Content-Length': String(limitOf(path) + 1) }],
    ['that is far too large', 413, { ...JSON_TYPE, 'Content-Length': '9007199254740993' }],
    ['of another type', 415, { ...KNOWN_LENGTH, 'Content-Type': 'text/plain' }],
    ['of no type', 415, KNOWN_LENGTH],
    ['that is compressed', 415, { ...JSON_TYPE, ...KNOWN_LENGTH, 'Content-Encoding': 'gzip' }],
    ['in another character set', 415, { ...KNOWN_LENGTH, 'Content-Type': 'application/json; charset=utf-16' }],
  ])('refuses a body %s by the headers alone', (_, status, headers) =>
    converse(async (connection) => {
      const allowed = isForServices(path) ? serviceHeaders : sessionOf('ann');
      await connection.write(headOf(method, path, { ...allowed, ...(headers as Record<string, string>) }));
      expect(await connection.answers(1)).toEqual([status]);
    }),
  );

  it('parses no body of an unauthenticated caller', async () => {
    const key = await issueKey(service.client, 'ann', powerlessBody);
    await service.client.delete(`/api/apiKeys/${key.id}`, sessionOf('ann'));
    for (const [headers, code] of [
      [{ authorization: `Bearer ${signToken({ exp: 1 })}` }, 'unauthenticated'],
      [pairHeaders(key), 'unauthenticated'],
      [isForServices(path) ? serviceHeaders : sessionOf('ann'), 'malformed_json'],
    ] as const) {
      const answer = await service.client.call(method, path, { headers, body: '{"name":' });
      expect(answer.body.error.code).toBe(code);
    }
  });
});

it('refuses a body for an unknown route by the headers alone', () =>
  converse(async (connection) => {
    await connection.write(headOf('POST', '/api/nothing', { 'Content-Type': PLAIN, ...KNOWN_LENGTH }));
    expect(await connection.answers(1)).toEqual([404]);
    await connection.write(
      `${' '.repeat(LENGTH)}${headOf('PUT', '/api/apiKeys', { 'Content-Type': PLAIN, ...KNOWN_LENGTH })}`,
    );
    expect(await connection.answers(2)).toEqual([404, 405]);
  }));

it('lets anyone report a leak, whatever credentials are presented', async () => {
  const body = { api_key: 'x', secret_key: 'y' };
  for (const [, headers] of CALLERS)
    expect((await service.client.post('/api/apiKeys/report-leak', headers, body)).status).toBe(200);
});

it('reads a body that arrives in pieces, on the fast path and on the ordinary one', () =>
  converse(async (connection) => {
    const body = JSON.stringify({ api_key: 'x', secret_key: 'y' });
    const headers = { 'Content-Type': PLAIN, ...serviceHeaders, 'Content-Length': String(body.length) };
    for (const path of ['/api/apiKeys/verify', '/api/apiKeys/report-leak']) {
      const before = connection.statuses.length;
      await connection.write(headOf('POST', path, headers));
      for (const letter of body) await connection.write(letter);
      expect((await connection.answers(before + 1)).at(-1)).toBe(200);
    }
    const chunks = body
      .split('')
      .map((letter) => `1\r\n${letter}\r\n`)
      .join('');
    const chunked = headOf('POST', '/api/apiKeys/verify', { 'Content-Type': PLAIN, ...serviceHeaders, ...CHUNKED });
    await connection.write(`${chunked}${chunks}0\r\n\r\n`);
    expect(await connection.answers(3)).toEqual([200, 200, 200]);
  }));
