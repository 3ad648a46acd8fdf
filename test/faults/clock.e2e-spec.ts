import { jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Housekeeping } from '../../src/operations/lifecycle/housekeeping.js';
import { createTestDatabase, onServer, type TestDatabase } from '../support/database.js';
import { issued, type IssuedKey, powerlessBody } from '../support/keys.js';
import { metricOf } from '../support/metrics.js';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { startService, type TestService } from '../support/service.js';
import { accountService, secondsFromNow, sessionOf, signToken } from '../support/sessions.js';
import { until } from '../support/until.js';
import { serviceVariables, verify } from '../support/verification.js';

const BOUND_MS = 1_000;
const HOUR_MS = 3_600_000;
const HALF_AN_HOUR = 1_800;
const WINDOW_SECONDS = 5;
const FEED_AGE = 'w3ipfs_keys_change_feed_age_seconds';

let database: TestDatabase;
/** A service in this process, whose clock the test sets. */
let service: TestService;
/** Another process with the right clock; the embedded database allows only one. */
let other: ServiceProcess | undefined;
let wrongBy = 0;
beforeAll(async () => {
  const now = Date.now.bind(Date);
  jest.spyOn(Date, 'now').mockImplementation(() => now() + wrongBy);
  database = await createTestDatabase();
  const variables = { ...serviceVariables, CREDENTIAL_KEYS: Buffer.alloc(32, 7).toString('base64') };
  service = await startService(variables, database);
  const its = { ...variables, ...database.variables, JWT_PUBLIC_KEY: accountService.publicKey };
  if (onServer) other = await startProcess(its);
});
afterEach(() => {
  wrongBy = 0;
});
afterAll(async () => {
  await other?.stop('SIGKILL');
  await service.stop();
  await database.drop();
  jest.restoreAllMocks();
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
/** A session that is valid at every time set here. */
const session = bearer(signToken({ sub: 'ann', nbf: secondsFromNow(-7_200), exp: secondsFromNow(14_400) }));
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();
const issue = async (limits: object = {}, headers: Record<string, string> = session) =>
  issued(await service.client.post('/api/apiKeys', headers, { ...powerlessBody, limits }));
const codeOf = async (key: IssuedKey) => (await verify(service.client, key)).body.data.code;

describe.each([
  ['forward', HOUR_MS],
  ['back', -HOUR_MS],
])('when the clock is set an hour %s', (_, by) => {
  it('a revocation holds within the bound', async () => {
    const key = await issue();
    expect(await codeOf(key)).toBe('VALID');
    wrongBy = by;
    expect(await codeOf(key)).toBe('VALID');
    const { client } = other ?? service;
    expect((await client.delete(`/api/apiKeys/${key.id}`, session)).status).toBe(200);
    const revokedAt = performance.now();
    let last = revokedAt;
    for (let began = revokedAt; (await codeOf(key)) !== 'REVOKED'; began = performance.now()) last = began;
    process.stdout.write(
      `Clock wrong by ${by} ms: a revoked key was last taken ${(last - revokedAt).toFixed(0)} ms later\n`,
    );
    expect(last - revokedAt).toBeLessThan(BOUND_MS);
  });

  it('a rate limit keeps its counts, for no longer than its window', async () => {
    const key = await issue({ rate_limit: { requests: 3, window_seconds: WINDOW_SECONDS } });
    const began = performance.now();
    for (const nth of [1, 2, 3]) expect([nth, await codeOf(key)]).toEqual([nth, 'VALID']);
    wrongBy = by;
    const code = await codeOf(key);
    // On a machine this slow, the window has ended
    const isOver = performance.now() - began > WINDOW_SECONDS * 1_000;
    expect([code, isOver]).toEqual([isOver ? code : 'RATE_LIMITED', isOver]);
    await until(async () => (await codeOf(key)) === 'VALID', 'the window to end');
    expect(performance.now() - began).toBeGreaterThanOrEqual(WINDOW_SECONDS * 1_000);
  });

  it('the process stays ready, and its invalidation feed fresh', async () => {
    const polled = async () => performance.now() - 1_000 * (await metricOf(service.client, FEED_AGE));
    wrongBy = by;
    const setAt = performance.now();
    // Changes have been polled again with the new clock
    await until(async () => (await polled()) > setAt, 'a poll');
    expect((await service.client.get('/health/ready')).status).toBe(200);
  });

  it('keys become valid and expire by the new clock', async () => {
    const ends = await issue({ expires_at: inSeconds(HALF_AN_HOUR) });
    const begins = await issue({ not_before: inSeconds(HALF_AN_HOUR) });
    expect([await codeOf(ends), await codeOf(begins)]).toEqual(['VALID', 'NOT_YET_VALID']);
    wrongBy = by;
    const passed = by > 0;
    expect([await codeOf(ends), await codeOf(begins)]).toEqual(
      passed ? ['EXPIRED', 'VALID'] : ['VALID', 'NOT_YET_VALID'],
    );
    wrongBy = 0;
    expect([await codeOf(ends), await codeOf(begins)]).toEqual(['VALID', 'NOT_YET_VALID']);
  });

  it('sessions are valid by the new clock', async () => {
    const short = bearer(signToken({ exp: secondsFromNow(HALF_AN_HOUR) }));
    const test = async () => (await service.client.get('/api/apiKeys/testAuthentication', short)).body.error?.reason;
    expect(await test()).toBeUndefined();
    wrongBy = by;
    expect(await test()).toBe(by > 0 ? 'EXPIRED' : 'NOT_YET_VALID');
    wrongBy = 0;
    expect(await test()).toBeUndefined();
  });

  it('a stored answer is repeated for ten minutes by the clock of the database', async () => {
    const headers = { ...session, 'idempotency-key': randomUUID() };
    const first = await issue({}, headers);
    wrongBy = by;
    const again = await issue({}, headers);
    // The embedded database is in this process and shares its clock
    const isKept = onServer || by < 0;
    expect([again.id === first.id, again.secret_key === first.secret_key]).toEqual([isKept, isKept]);
  });
});

(onServer ? it : it.skip)('a process whose clock is far ahead removes nothing that others still need', async () => {
  const { client } = other as ServiceProcess;
  const key = issued(await client.post('/api/apiKeys', session, powerlessBody));
  const headers = { ...session, 'idempotency-key': randomUUID() };
  const answered = await client.post('/api/apiKeys', headers, powerlessBody);
  expect((await client.delete(`/api/apiKeys/${key.id}`, session)).status).toBe(200);
  wrongBy = 200 * 24 * HOUR_MS;
  await service.app.get(Housekeeping, { strict: false }).run();
  expect((await client.get(`/api/apiKeys/${key.id}`, session)).body.data.status).toBe('revoked');
  expect((await client.post('/api/apiKeys', headers, powerlessBody)).text).toBe(answered.text);
});

it('everything is as before when the clock is right again', async () => {
  const key = issued(await service.client.post('/api/apiKeys', sessionOf('ann'), powerlessBody));
  expect(await codeOf(key)).toBe('VALID');
  await until(async () => (await service.client.get('/health/ready')).status === 200, 'the process to be ready');
});
