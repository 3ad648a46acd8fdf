import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { outcomeOf, pathsOf } from './support/answers.js';
import { clockAhead } from './support/clock.js';
import { issueKey, type IssuedKey, noLimits, pairHeaders, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';

const clock = clockAhead();
const service = useService({}, clock);
afterEach(() => jest.restoreAllMocks());

const MINUTE_MS = 60_000;
const session = sessionOf('ann');
/** The host's clock, by which dates in requests are validated. */
const hence = (minutes: number) => new Date(Date.now() + minutes * MINUTE_MS).toISOString();
/** The clock of the service, by which limits apply. */
const clockIn = (minutes: number) => new Date(clock.time + minutes * MINUTE_MS).toISOString();
/** Moves the host's clock ahead. */
const pass = (minutes: number) => {
  const now = Date.now() + minutes * MINUTE_MS;
  jest.spyOn(Date, 'now').mockReturnValue(now);
};
const patch = (key: IssuedKey, body: object, headers: Record<string, string> = session) =>
  service.client.call('PATCH', `/api/apiKeys/${key.id}`, { headers, body });
const read = async (key: IssuedKey) => (await service.client.get(`/api/apiKeys/${key.id}`, session)).body.data;

describe('a date that has passed since', () => {
  it.each([
    ['not_before', () => ({ not_before: hence(1) })],
    ['expires_at', () => ({ expires_at: hence(1) })],
    ['both', () => ({ not_before: hence(1), expires_at: hence(2) })],
  ])('does not block the stored answer of the same idempotent request: %s', async (_, limits) => {
    const [key, body] = [randomUUID(), { ...powerlessBody, limits: limits() }];
    const headers = { ...session, 'idempotency-key': key };
    const first = await service.client.post('/api/apiKeys', headers, body);
    expect(first.status).toBe(200);
    pass(3);
    const again = await service.client.post('/api/apiKeys', headers, body);
    expect([again.status, again.text]).toEqual([200, first.text]);
    const other = await service.client.post('/api/apiKeys', headers, { ...body, name: 'other' });
    expect(outcomeOf(other)).toBe('422 idempotency_key_reused');
    // A new request is validated, and claims nothing
    const fresh = { ...session, 'idempotency-key': randomUUID() };
    for (const one of [session, fresh, fresh]) {
      const late = await service.client.post('/api/apiKeys', one, body);
      expect([outcomeOf(late), pathsOf(late)]).toEqual([
        '400 validation_failed',
        Object.keys(body.limits).map((name) => `limits.${name}`),
      ]);
    }
    expect((await service.client.post('/api/apiKeys', fresh, powerlessBody)).status).toBe(200);
  });

  const dated = () => ({
    ...noLimits,
    not_before: hence(1),
    expires_at: hence(2),
    max_uses: 9,
    rate_limit: { requests: 3, window_seconds: 4 },
    allowed_cidrs: ['10.0.0.0/8'],
  });

  it('may be sent back unchanged', async () => {
    const key = await issueKey(service.client, 'ann', { ...powerlessBody, limits: dated() });
    pass(3);
    const { name, scopes, limits, metadata } = await read(key);
    const answer = await patch(key, { name, scopes, limits, metadata, enabled: true });
    expect([answer.status, answer.body.data.limits]).toEqual([200, limits]);
    const [first, second] = [limits.not_before.replace('Z', '+00:00'), limits.expires_at.replace('Z', '0000Z')];
    expect((await patch(key, { limits: { not_before: first, expires_at: second } })).status).toBe(200);
  });

  it('may be sent back beside changed fields, which alone are validated', async () => {
    const key = await issueKey(service.client, 'ann', { ...powerlessBody, limits: dated() });
    pass(3);
    const { limits } = await read(key);
    expect((await patch(key, { limits: { ...limits, expires_at: hence(5) } })).body.data.limits).toEqual({
      ...limits,
      expires_at: hence(5),
    });
    for (const [name, value] of [
      ['not_before', hence(-1)],
      ['expires_at', hence(-0.5)],
    ] as const) {
      const answer = await patch(key, { limits: { ...limits, expires_at: hence(5), [name]: value } });
      expect([outcomeOf(answer), answer.body.error.details]).toEqual([
        '400 validation_failed',
        [{ path: `limits.${name}`, message: 'must not be in the past' }],
      ]);
    }
    const { expires_at } = (await patch(key, { limits: { ...limits, expires_at: null } })).body.data.limits;
    expect(expires_at).toBeNull();
  });

  it('is not compared with the narrower limits of another admin key either', async () => {
    const [key, weaker] = [
      await issueKey(service.client, 'ann', { ...powerlessBody, limits: { expires_at: clockIn(100) } }),
      await issueKey(service.client, 'ann', {
        name: 'weaker',
        scopes: { admin: true },
        limits: { expires_at: clockIn(10) },
      }),
    ];
    const { limits } = await read(key);
    const renamed = await patch(key, { name: 'renamed', limits }, pairHeaders(weaker));
    expect([renamed.status, renamed.body.data.name]).toEqual([200, 'renamed']);
    const wider = await patch(key, { limits: { ...limits, expires_at: clockIn(101) } }, pairHeaders(weaker));
    expect([outcomeOf(wider), pathsOf(wider)]).toEqual(['403 exceeds_issuer', ['limits.expires_at']]);
  });

  it('is validated for a new key, or if it changes', async () => {
    for (const limits of [{ not_before: hence(-1) }, { expires_at: hence(-1) }]) {
      const created = await service.client.post('/api/apiKeys', session, { ...powerlessBody, limits });
      expect(outcomeOf(created)).toBe('400 validation_failed');
      const patched = await patch(await issueKey(service.client, 'ann', powerlessBody), { limits });
      expect([outcomeOf(patched), pathsOf(patched)]).toEqual([
        '400 validation_failed',
        [`limits.${Object.keys(limits)[0]}`],
      ]);
    }
    const [{ claims }] = await service.app
      .get(DataSource)
      .query('SELECT count(*)::int AS claims FROM idempotent_answers WHERE answer IS NULL');
    expect(claims).toBe(0);
  });
});
