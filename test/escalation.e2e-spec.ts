import { range } from './support/at-once.js';
import type { Answer } from './support/client.js';
import { TestClock } from './support/clock.js';
import { bodyWith, issued, issueKey, type IssuedKey, noLimits, pairHeaders, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { serviceVariables, verify } from './support/verification.js';

const HOUR = 3_600_000;
const clock = new TestClock(Date.now());
const started = clock.time;
const inHours = (hours: number) => new Date(started + hours * HOUR).toISOString();

const adminBody = { name: 'issues keys', scopes: { admin: true } };

/** The limits of the issuing key. It calls from 127.0.0.1, in two hours. */
const own = {
  not_before: inHours(1),
  expires_at: inHours(10),
  rate_limit: { requests: 100, window_seconds: 60 },
  allowed_cidrs: ['127.0.0.0/8', '10.0.0.0/8', '2001:db8::/32'],
};

let issuer: IssuedKey;
let unlimited: IssuedKey;
const service = useService(serviceVariables, clock);
beforeAll(async () => {
  issuer = await issueAdmin({ ...own, max_uses: 1_000_000 });
  unlimited = await issueAdmin({});
  clock.time += 2 * HOUR;
});
// The issuer's own rate would interfere
afterEach(() => {
  clock.time += 61_000;
});

const issueAdmin = (limits: object) => issueKey(service.client, 'ann', { ...adminBody, limits });
const create = (by: IssuedKey, limits?: object, body: object = powerlessBody) =>
  service.client.post('/api/apiKeys', pairHeaders(by), { ...body, limits });

const excess = ({ status, body }: Answer) => [status, body.error?.code, body.error?.details?.map(pathOf)];
const pathOf = ({ path }: { path: string }) => path;

describe('an admin key with limits', () => {
  it.each([
    ['omitted', undefined],
    ['omitted one by one', {}],
  ])('passes on its limits if they are %s, except its count of uses', async (_, limits) => {
    const answer = await create(issuer, limits);
    expect([answer.status, answer.body.data.limits]).toEqual([200, { ...own, max_uses: null }]);
    const { data } = (await service.client.get(`/api/apiKeys/${answer.body.data.id}`, sessionOf('ann'))).body;
    expect(data).toMatchObject({ limits: { ...own, max_uses: null }, issued_by: issuer.id, status: 'active' });
  });

  it.each<[object, object?]>([
    [{ not_before: inHours(2.5) }],
    [{ expires_at: inHours(9) }],
    [{ expires_at: own.expires_at }],
    [{ rate_limit: own.rate_limit }],
    [{ rate_limit: { requests: 1, window_seconds: 1 } }],
    [{ rate_limit: { requests: 50, window_seconds: 30 } }],
    [{ rate_limit: { requests: 100, window_seconds: 61 } }],
    [{ allowed_cidrs: ['10.1.0.0/16', '2001:db8:1::/48', '127.0.0.0/8', '10.2.3.4/32'] }],
    [{ allowed_cidrs: ['::ffff:10.0.0.0/104'] }, { allowed_cidrs: ['10.0.0.0/8'] }],
    [{ max_uses: 1_000_000_000_000 }],
    [{ max_uses: null }],
  ])('may set limits within its own: %j', async (limits, shown = limits) => {
    const answer = await create(issuer, limits);
    expect([answer.status, answer.body.data?.limits]).toEqual([200, { ...own, max_uses: null, ...shown }]);
  });

  it.each<[string, object]>([
    ['limits.not_before', { not_before: null }],
    // After the host's time, before the issuer's expiry
    ['limits.not_before', { not_before: inHours(0.5) }],
    // The key would expire with its issuer before it becomes valid
    ['limits.not_before', { not_before: inHours(10) }],
    ['limits.not_before', { not_before: inHours(11) }],
    ['limits.expires_at', { expires_at: null }],
    ['limits.expires_at', { expires_at: inHours(11) }],
    ['limits.rate_limit', { rate_limit: null }],
    ['limits.rate_limit', { rate_limit: { requests: 101, window_seconds: 60 } }],
    ['limits.rate_limit', { rate_limit: { requests: 101, window_seconds: 6_000 } }],
    ['limits.rate_limit', { rate_limit: { requests: 100, window_seconds: 59 } }],
    ['limits.rate_limit', { rate_limit: { requests: 2, window_seconds: 1 } }],
    ['limits.allowed_cidrs', { allowed_cidrs: null }],
    ['limits.allowed_cidrs', { allowed_cidrs: ['0.0.0.0/0'] }],
    ['limits.allowed_cidrs', { allowed_cidrs: ['10.0.0.0/7'] }],
    ['limits.allowed_cidrs', { allowed_cidrs: ['10.0.0.0/8', '192.0.2.1'] }],
    ['limits.allowed_cidrs', { allowed_cidrs: ['::/0'] }],
    ['limits.allowed_cidrs', { allowed_cidrs: ['2001:db9::/32'] }],
  ])('may not exceed its own %s: %j', async (path, limits) => {
    const before = await countKeys();
    const answer = await create(issuer, limits);
    expect(excess(answer)).toEqual([403, 'exceeds_issuer', [path]]);
    expect(answer.body.error.details[0].message).toMatch(/^must (stay within|be before)/);
    expect(await countKeys()).toBe(before);
  });

  it('issues no key that would expire with it before becoming valid', async () => {
    const expiring = await issueAdmin({ expires_at: inHours(10) });
    expect(excess(await create(expiring, { not_before: inHours(10) }))).toEqual([
      403,
      'exceeds_issuer',
      ['limits.not_before'],
    ]);
    expect((await create(expiring, { not_before: inHours(9.9) })).status).toBe(200);
  });

  it('gets every limit that exceeds its own in one answer', async () => {
    const answer = await create(issuer, {
      ...noLimits,
      max_uses: 1,
      rate_limit: { requests: 1_000, window_seconds: 1 },
    });
    const paths = ['limits.not_before', 'limits.expires_at', 'limits.rate_limit', 'limits.allowed_cidrs'];
    expect(excess(answer)).toEqual([403, 'exceeds_issuer', paths]);
  });

  it('passes them on through further generations', async () => {
    const child = issued(
      await create(issuer, { expires_at: inHours(5), rate_limit: { requests: 10, window_seconds: 60 } }, adminBody),
    );
    expect(excess(await create(child, { expires_at: inHours(6) }))).toEqual([
      403,
      'exceeds_issuer',
      ['limits.expires_at'],
    ]);
    const grandchild = await create(child, { rate_limit: { requests: 5, window_seconds: 60 } });
    expect(grandchild.body.data.limits).toEqual({
      ...own,
      expires_at: inHours(5),
      rate_limit: { requests: 5, window_seconds: 60 },
      max_uses: null,
    });
  });
});

it('lets an admin key without limits, like a session, set any limits or none', async () => {
  const wide = { ...noLimits, rate_limit: { requests: 1_000_000, window_seconds: 1 }, allowed_cidrs: ['0.0.0.0/0'] };
  for (const limits of [noLimits, wide, { ...noLimits, expires_at: inHours(100), max_uses: 1 }]) {
    const byKey = await create(unlimited, limits);
    const bySession = await service.client.post('/api/apiKeys', sessionOf('ann'), { ...powerlessBody, limits });
    expect([byKey.body.data?.limits, bySession.body.data?.limits]).toEqual([limits, limits]);
    expect(await issuerOf(issued(byKey))).toBe(unlimited.id);
    expect(await issuerOf(issued(bySession))).toBeNull();
  }
});

it('lets no key without admin issue one, whatever scopes it has or requests', async () => {
  const almost = await issueKey(
    service.client,
    'ann',
    bodyWith(['data.pin_list', 'pinning.unpin', 'pin_nft.unpin_nft'], { limits: { max_uses: 1 } }),
  );
  for (const body of [powerlessBody, bodyWith(['pinning.unpin'])]) {
    const answer = await create(almost, {}, body);
    expect([answer.status, answer.body.error.code]).toEqual([403, 'insufficient_scope']);
  }
  expect((await verify(service.client, almost)).body.data).toMatchObject({ valid: true, remaining_uses: 0 });
});

describe('an admin key with limits, and a stronger key that cannot be used,', () => {
  const allBut = (...paths: string[]) =>
    ['limits.not_before', 'limits.expires_at', 'limits.rate_limit', 'limits.allowed_cidrs'].filter(
      (path) => !paths.includes(path),
    );
  const patch = (by: IssuedKey, { id }: IssuedKey, body: object) =>
    service.client.call('PATCH', `/api/apiKeys/${id}`, { headers: pairHeaders(by), body });
  const codeOf = async (key: IssuedKey) => (await verify(service.client, key)).body.data.code;

  it('cannot revive it when it is used up', async () => {
    const spent = await issueAdmin({ max_uses: 1 });
    expect([await codeOf(spent), await codeOf(spent)]).toEqual(['VALID', 'USAGE_EXCEEDED']);
    for (const limits of [{ max_uses: 2 }, { max_uses: null }])
      expect(excess(await patch(issuer, spent, { limits }))).toEqual([403, 'exceeds_issuer', allBut()]);
    expect(await codeOf(spent)).toBe('USAGE_EXCEEDED');
    expect((await patch(unlimited, spent, { limits: { max_uses: 2 } })).status).toBe(200);
    expect(await codeOf(spent)).toBe('VALID');
  });

  it('cannot revive it when it has expired or is not valid yet, even within its own times', async () => {
    const expired = await issueAdmin({ expires_at: new Date(clock.time + 30_000).toISOString() });
    const pending = await issueAdmin({ not_before: inHours(9) });
    clock.time += 61_000;
    const later = await patch(issuer, expired, { limits: { expires_at: own.expires_at } });
    expect(excess(later)).toEqual([403, 'exceeds_issuer', allBut('limits.expires_at')]);
    const sooner = await patch(issuer, pending, { limits: { not_before: inHours(3) } });
    expect(excess(sooner)).toEqual([403, 'exceeds_issuer', allBut('limits.not_before')]);
    expect([await codeOf(expired), await codeOf(pending)]).toEqual(['EXPIRED', 'NOT_YET_VALID']);
  });

  it('may remove rights from it that it lacks itself', async () => {
    const stronger = await issueAdmin({ max_uses: 10 });
    const answer = await patch(issuer, stronger, { limits: { max_uses: 5, expires_at: inHours(9) } });
    expect(answer.status).toBe(200);
  });
});

it('issues only for the owner of the calling key', async () => {
  const key = issued(await create(issuer, {}));
  expect((await service.client.get(`/api/apiKeys/${key.id}`, sessionOf('bob'))).status).toBe(404);
  expect((await service.client.get(`/api/apiKeys/${key.id}`, pairHeaders(issuer))).status).toBe(200);
});

describe('a call with an admin key is a use of it', () => {
  it('and is refused when the uses are exhausted, with nothing issued', async () => {
    const key = await issueAdmin({ max_uses: 3 });
    const before = await countKeys();
    const answers: Answer[] = [];
    for (const _ of range(5)) answers.push(await create(key, {}));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 403, 403]);
    expect(answers[4]?.body.error.code).toBe('usage_exceeded');
    expect(await countKeys()).toBe(before + 3);
  });

  it('and is refused when its rate is exhausted, or from another network', async () => {
    const slow = await issueAdmin({ rate_limit: { requests: 1, window_seconds: 60 } });
    expect((await create(slow, {})).status).toBe(200);
    const limited = await create(slow, {});
    expect([limited.status, limited.body.error.code]).toEqual([429, 'rate_limited']);
    const elsewhere = await create(await issueAdmin({ allowed_cidrs: ['192.0.2.0/24'] }), {});
    expect([elsewhere.status, elsewhere.body.error.code]).toEqual([403, 'ip_not_allowed']);
  });

  it('and each call counts once', async () => {
    const key = await issueAdmin({ max_uses: 10 });
    const child = issued(await create(key, {}));
    await verify(service.client, child);
    expect((await verify(service.client, key, { cost: 0 })).body.data.remaining_uses).toBe(9);
  });
});

async function countKeys(): Promise<number> {
  return (await service.client.get('/api/apiKeys/list', sessionOf('ann'))).body.data.total;
}

async function issuerOf({ id }: IssuedKey): Promise<string | null> {
  return (await service.client.get(`/api/apiKeys/${id}`, sessionOf('ann'))).body.data.issued_by;
}
