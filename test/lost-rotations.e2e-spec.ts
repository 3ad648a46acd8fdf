import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { Verifier } from '../src/verification/verifier.js';
import { range } from './support/at-once.js';
import { outcomeOf, pathsOf } from './support/answers.js';
import type { Answer } from './support/client.js';
import { clockAhead } from './support/clock.js';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { issued, issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { sharedVariables, startProcess } from './support/process.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { verify } from './support/verification.js';

const clock = clockAhead();
const variables = { ...sharedVariables, TRUSTED_PROXIES: '127.0.0.1' };

let database: TestDatabase;
let service: TestService;
beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService(variables, database, clock);
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});

const TEST = '/api/apiKeys/testAuthentication';
const admin = (limits: object = {}) =>
  issueKey(service.client, 'ann', { name: 'admin', scopes: { admin: true }, limits });

interface Retry {
  key?: string;
  body?: object | string;
  id?: string;
  query?: string;
  headers?: Record<string, string | string[]>;
}

/** A rotation of a key by itself, as sent the first time and repeated. */
function rotate(by: IssuedKey, { key, body = {}, id = by.id, query = '', headers = {} }: Retry = {}): Promise<Answer> {
  const idempotency = key === undefined ? {} : { 'idempotency-key': key };
  const all = { ...pairHeaders(by), ...idempotency, ...headers };
  return service.client.call('POST', `/api/apiKeys/${id}/rotate${query}`, { headers: all, body });
}

async function rotated(by: IssuedKey, key: string, body: object = {}): Promise<{ next: IssuedKey; text: string }> {
  const answer = await rotate(by, { key, body });
  return { next: issued(answer), text: answer.text };
}

const REFUSED = '401 unauthenticated INVALID_CREDENTIALS';
const outcomeWithReason = (answer: Answer) =>
  answer.status === 200 ? '200' : `${outcomeOf(answer)} ${answer.body.error.reason ?? ''}`.trim();

describe('a key whose rotation of itself got lost on the way back', () => {
  it('gets the answer with the secret that it called with, repeatedly, without another rotation', async () => {
    const [old, key] = [await admin(), randomUUID()];
    const { next, text } = await rotated(old, key);
    for (const _ of range(3)) {
      const again = await rotate(old, { key });
      expect([again.status, again.text, again.headers.etag]).toEqual([200, text, '"2"']);
      expect(again.headers['content-type']).toBe('application/json; charset=utf-8');
      expect(again.headers['cache-control']).toBe('no-store');
    }
    expect((await service.client.get(TEST, pairHeaders(next))).status).toBe(200);
    const path = `/api/apiKeys/events?api_key_id=${old.id}&action=key.rotated`;
    expect((await service.client.get(path, sessionOf('ann'))).body.data.events).toHaveLength(1);
  });

  it('gets it with an audit event each time, which the owner can see', async () => {
    const [old, key] = [await admin(), randomUUID()];
    await rotated(old, key);
    await rotate(old, { key, headers: { 'x-forwarded-for': '203.0.113.9' } });
    const path = `/api/apiKeys/events?api_key_id=${old.id}&action=key.rotation_repeated`;
    const { events } = (await service.client.get(path, sessionOf('ann'))).body.data;
    expect(events).toMatchObject([{ actor: `key:${old.id}`, ip: '203.0.113.9', changes: {} }]);
  });

  it('gets it however the same request is formatted', async () => {
    const [old, key] = [await admin(), randomUUID()];
    const { text } = await rotated(old, key, { overlap_seconds: 0 });
    const dashed = { 'pinning-api-key': old.api_key, 'pinning-secret-key': old.secret_key, 'idempotency-key': key };
    for (const again of [
      await rotate(old, { key, body: '' }),
      await rotate(old, { key, body: '{ }' }),
      await rotate(old, { key, id: old.id.toUpperCase() }),
      await service.client.post(`/api/apiKeys/${old.id}/rotate/`, dashed, {}),
    ])
      expect([again.status, again.text]).toEqual([200, text]);
  });

  it('gets it after the overlap has ended', async () => {
    const [old, key] = [await admin(), randomUUID()];
    const { text } = await rotated(old, key, { overlap_seconds: 5 });
    expect((await rotate(old, { key, body: { overlap_seconds: 5 } })).text).toBe(text);
    clock.time += 6_000;
    const again = await rotate(old, { key, body: { overlap_seconds: 5 } });
    expect([again.status, again.text]).toEqual([200, text]);
  });

  // The embedded database allows only one process
  (onServer ? it : it.skip)('gets it from another process', async () => {
    const [old, key] = [await admin(), randomUUID()];
    const { text } = await rotated(old, key);
    const other = await startProcess({ ...variables, ...database.variables });
    const headers = { ...pairHeaders(old), 'idempotency-key': key };
    const again = await other.client.post(`/api/apiKeys/${old.id}/rotate`, headers, {});
    await other.stop();
    expect([again.status, again.text]).toEqual([200, text]);
  });

  it('gets it from a process that has not seen the rotation yet, and still accepts the old secret', async () => {
    const [old, key] = [await admin(), randomUUID()];
    const verifier = service.app.get(Verifier, { strict: false });
    const pair = { apiKey: old.api_key, secretKey: old.secret_key };
    const before = await verifier.identify(pair, { scopes: [], ip: '127.0.0.1' });
    const { text } = await rotated(old, key);
    const identify = jest.spyOn(verifier, 'identify').mockResolvedValueOnce(before);
    expect((await rotate(old, { key })).text).toBe(text);
    expect(identify).toHaveBeenCalledTimes(1);
    // Nor can the old secret do anything new, or get another caller's stored answer
    identify.mockResolvedValueOnce(before);
    expect(outcomeWithReason(await rotate(old, { key: randomUUID() }))).toBe(REFUSED);
    await service.client.post(`/api/apiKeys/${old.id}/rotate`, sessionOf('ann'), { overlap_seconds: 60 });
    identify.mockResolvedValueOnce(before);
    expect(outcomeWithReason(await rotate(old, { key }))).toBe(REFUSED);
    identify.mockRestore();
  });

  it('is charged for it as for any call: one use, and one request of its rate', async () => {
    const old = await admin({ max_uses: 3, rate_limit: { requests: 50, window_seconds: 60 } });
    const key = randomUUID();
    await rotated(old, key);
    const again = await rotate(old, { key });
    expect(again.headers['ratelimit-policy']).toMatch(/"management".*"key"/);
    expect((await rotate(old, { key })).status).toBe(200);
    expect(outcomeWithReason(await rotate(old, { key }))).toBe('403 usage_exceeded');
    const { body } = await service.client.get(`/api/apiKeys/${old.id}`, sessionOf('ann'));
    expect([body.data.uses, body.data.status]).toEqual([3, 'exhausted']);
  });
});

describe('a replaced secret opens nothing else:', () => {
  let old: IssuedKey;
  let next: IssuedKey;
  let key: string;
  beforeEach(async () => {
    old = await admin();
    key = randomUUID();
    ({ next } = await rotated(old, key));
  });

  it('not without the Idempotency-Key, or with another one, or two', async () => {
    for (const again of [
      await rotate(old),
      await rotate(old, { key: randomUUID() }),
      await rotate(old, { key: 'x'.repeat(256) }),
      await rotate(old, { headers: { 'idempotency-key': [key, key] } }),
      await rotate(old, { headers: { 'idempotency-key': '' } }),
    ])
      expect(outcomeWithReason(again)).toBe(REFUSED);
  });

  it('not for a request that differs in any part', async () => {
    const sibling = await admin();
    for (const retry of [
      { body: { overlap_seconds: 1 } },
      { body: { overlap_seconds: 0, x: 1 } },
      { body: '{' },
      { body: '[]' },
      { id: sibling.id },
      { query: '?x=1' },
    ])
      expect([retry, outcomeWithReason(await rotate(old, { key, ...retry }))]).toEqual([retry, REFUSED]);
  });

  it('not with another pair: an earlier secret, that of a sibling, or half of it', async () => {
    const before = await admin();
    const current = issued(await rotate(before));
    const second = randomUUID();
    await rotated(current, second);
    const sibling = await admin();
    expect(outcomeWithReason(await rotate(before, { key: second }))).toBe(REFUSED);
    expect(outcomeWithReason(await rotate({ ...sibling, secret_key: old.secret_key }, { key, id: old.id }))).toBe(
      REFUSED,
    );
    expect(outcomeWithReason(await rotate({ ...old, api_key: sibling.api_key }, { key }))).toBe(REFUSED);
    // A valid pair of the same owner; but it did not call for the rotation
    expect(outcomeWithReason(await rotate(sibling, { key, id: old.id }))).toBe('200');
    expect(outcomeWithReason(await rotate(old, { key }))).toBe(REFUSED);
  });

  it.each<[string, string, string, (path: string) => string]>([
    ['create', 'POST', JSON.stringify(powerlessBody), () => '/api/apiKeys'],
    ['list', 'GET', '', () => '/api/apiKeys/list'],
    ['read', 'GET', '', (path) => path],
    ['change', 'PATCH', '{}', (path) => path],
    ['delete', 'DELETE', '', (path) => path],
    ['test', 'GET', '', () => TEST],
    ['audit trail', 'GET', '', () => '/api/apiKeys/events'],
    ['gateway', 'GET', '', () => '/api/apiKeys/authorize?scope=admin'],
  ])('not on any other route: %s', async (_, method, body, path) => {
    const headers = { ...pairHeaders(old), 'idempotency-key': key };
    const url = path(`/api/apiKeys/${old.id}`);
    const answer = await service.client.call(method, url, { headers, ...(body !== '' && { body }) });
    expect(outcomeWithReason(answer)).toBe(REFUSED);
    expect((await rotate(old, { key })).status).toBe(200);
  });

  it('not for a service, nor in a leak report', async () => {
    await rotate(old, { key });
    expect((await verify(service.client, old)).body.data.code).toBe('INVALID_CREDENTIALS');
    await service.client.post('/api/apiKeys/report-leak', {}, { api_key: old.api_key, secret_key: old.secret_key });
    expect((await verify(service.client, next)).body.data.code).toBe('VALID');
  });

  it('not after ten minutes, by the clock of the database', async () => {
    const dataSource = service.app.get(DataSource);
    await dataSource.query("UPDATE idempotent_answers SET expires_at = expires_at - interval '9 minutes'");
    expect(outcomeWithReason(await rotate(old, { key }))).toBe('200');
    await dataSource.query("UPDATE idempotent_answers SET expires_at = expires_at - interval '1 minute'");
    expect(outcomeWithReason(await rotate(old, { key }))).toBe(REFUSED);
  });

  const path = () => `/api/apiKeys/${old.id}`;
  const bySession = (method: string, more: string, body?: object) =>
    service.client.call(method, path() + more, { headers: sessionOf('ann'), body });

  it.each<[string, () => Promise<unknown>]>([
    ['revoked', () => bySession('DELETE', '')],
    ['disabled', () => bySession('PATCH', '', { enabled: false })],
    ['demoted', () => bySession('PATCH', '', { scopes: powerlessBody.scopes })],
    ['kept to other networks', () => bySession('PATCH', '', { limits: { allowed_cidrs: ['192.0.2.0/24'] } })],
    [
      'expired',
      async () => {
        await bySession('PATCH', '', { limits: { expires_at: new Date(clock.time + 1_000).toISOString() } });
        clock.time += 2_000;
      },
    ],
    ['rotated again', () => bySession('POST', '/rotate', {})],
    ['rotated again with an overlap', () => bySession('POST', '/rotate', { overlap_seconds: 600 })],
    [
      'reported as leaked',
      () => {
        const { api_key, secret_key } = next;
        return service.client.post('/api/apiKeys/report-leak', {}, { api_key, secret_key });
      },
    ],
  ])('not once the key is %s, with the same answer as any wrong secret', async (_, change) => {
    await change();
    const wrong = await rotate(old, { key: randomUUID() });
    const answer = await rotate(old, { key });
    expect(outcomeWithReason(answer)).toBe(REFUSED);
    const { error } = answer.body;
    expect([error, answer.headers['www-authenticate']]).toEqual([wrong.body.error, wrong.headers['www-authenticate']]);
  });

  it('not once the issuer was deleted with cascade', async () => {
    const issuer = await admin();
    const body = { name: 'child', scopes: { admin: true } };
    const child = issued(await service.client.post('/api/apiKeys', pairHeaders(issuer), body));
    await rotated(child, key);
    await service.client.delete(`/api/apiKeys/${issuer.id}?cascade=true`, sessionOf('ann'));
    expect(outcomeWithReason(await rotate(child, { key }))).toBe(REFUSED);
  });

  it('not by guessing: after ten tries, not even with the right Idempotency-Key', async () => {
    for (const index of range(10))
      expect(outcomeWithReason(await rotate(old, { key: `guess ${index}` }))).toBe(REFUSED);
    expect(outcomeWithReason(await rotate(old, { key }))).toBe(REFUSED);
    // Another holder of the old secret does not lock out the one whose answer was lost
    const elsewhere = { 'x-forwarded-for': '203.0.113.9' };
    expect(outcomeWithReason(await rotate(old, { key, headers: elsewhere }))).toBe('200');
    clock.time += 610_000;
    expect(outcomeWithReason(await rotate(old, { key }))).toBe('200');
  });

  it('is stored without plain text', async () => {
    const rows: Record<string, Buffer>[] = await service.app
      .get(DataSource)
      .query('SELECT id, fingerprint, answer FROM idempotent_answers');
    expect(rows.length).toBeGreaterThan(0);
    const text = rows.flatMap((row) => Object.values(row).map((bytes) => bytes.toString('latin1'))).join('\n');
    for (const secret of [old.secret_key, next.secret_key, old.api_key, key]) expect(text).not.toContain(secret);
  });
});

it('is not stored for a rotation by another caller: neither lost its secret', async () => {
  const [one, other, key] = [await admin(), await admin(), randomUUID()];
  const first = await rotate(one, { key, id: other.id });
  expect((await rotate(one, { key, id: other.id })).text).toBe(first.text);
  expect(outcomeWithReason(await rotate(other, { key }))).toBe(REFUSED);
});

it('is refused as usual if the stored answer describes an invalid request', async () => {
  const key = await admin();
  const answer = await rotate(key, { key: randomUUID(), body: { overlap_seconds: -1 } });
  expect([outcomeWithReason(answer), pathsOf(answer)]).toEqual(['400 validation_failed', ['overlap_seconds']]);
});
