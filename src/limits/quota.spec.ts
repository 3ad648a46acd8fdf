import { jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { TestClock } from '../../test/support/clock.js';
import { UnavailableError } from '../http/errors/api-error.js';
import { UsageLimiter } from '../usage/usage-limiter.js';
import { InProcessRateLimiter } from './in-process-rate-limiter.js';
import { type LimitedKey, NO_CHARGE, Quota, rateStateOf } from './quota.js';

const rateLimit = { requests: 3, windowSeconds: 60 };
const unlimited: LimitedKey = { id: 'key', ownerId: 'ann', maxUses: null, rateLimit: null };
const limited: LimitedKey = { ...unlimited, maxUses: 10 };

let clock: TestClock;
/** The database's result for the next commit of uses. */
let commit: () => { granted: number; remaining: number; revoked: boolean };
let commits: number;
let usage: UsageLimiter;
let quota: Quota;

beforeEach(() => {
  clock = new TestClock();
  commits = 0;
  const dataSource = new DataSource({ type: 'postgres' });
  jest.spyOn(dataSource, 'query').mockImplementation(async () => {
    commits++;
    return [[{ id: limited.id, ...commit() }]];
  });
  usage = new UsageLimiter(dataSource, clock);
  quota = new Quota(new InProcessRateLimiter(clock), usage);
});

/** The part of the rate limit that is left, without charging it. */
async function remainingRate(key: LimitedKey): Promise<number | undefined> {
  return (await quota.charge({ ...key, maxUses: null }, 0)).rate?.remaining;
}

it('charges a key without limits synchronously, and counts its uses in memory', () => {
  expect(quota.charge(unlimited, 2)).toBe(NO_CHARGE);
  expect([usage.unwritten, commits]).toEqual([2, 0]);
});

it('charges nothing for a cost of 0', () => {
  expect(quota.charge(unlimited, 0)).toBe(NO_CHARGE);
  expect(quota.charge({ ...unlimited, rateLimit }, 0)).toMatchObject({ refusal: null, rate: { remaining: 3 } });
  expect([usage.unwritten, commits]).toEqual([0, 0]);
});

it('denies a cost above the rate limit, without a use', async () => {
  const key = { ...limited, rateLimit };
  const decision = await quota.charge(key, 4);
  expect(decision).toMatchObject({ refusal: 'RATE_LIMITED', rate: { granted: false }, remainingUses: null });
  expect([commits, await remainingRate(key)]).toEqual([0, 3]);
});

it('reports the remaining uses of a limited key', async () => {
  commit = () => ({ granted: 1, remaining: 7, revoked: false });
  expect(await quota.charge({ ...limited, rateLimit }, 1)).toMatchObject({
    refusal: null,
    rate: { granted: true, remaining: 2 },
    remainingUses: 7,
  });
});

it.each([
  [false, 'USAGE_EXCEEDED'],
  [true, 'REVOKED'],
])('refunds the rate limit if the uses are denied (revoked: %s)', async (revoked, refusal) => {
  commit = () => ({ granted: 0, remaining: 2, revoked });
  const key = { ...limited, rateLimit };
  expect(await quota.charge(key, 3)).toEqual({ refusal, rate: null, remainingUses: 2 });
  expect(await remainingRate(key)).toBe(3);
});

it('refunds the rate limit if the uses cannot be committed', async () => {
  commit = () => {
    throw new Error('the database failed');
  };
  const key = { ...limited, rateLimit };
  await expect(quota.charge(key, 3)).rejects.toThrow('the database failed');
  expect(await remainingRate(key)).toBe(3);
});

it('refunds the rate limit and the uses of a request that is denied later', async () => {
  commit = () => ({ granted: 1, remaining: 8, revoked: false });
  const key = { ...limited, rateLimit };
  await quota.refund(key, 2, await quota.charge(key, 2));
  expect([usage.unwritten, await remainingRate(key)]).toEqual([-2, 3]);
});

it('rejects, rather than throwing, if no rate limit can be tracked', async () => {
  quota = new Quota(new InProcessRateLimiter(clock, { key: 0, other: 0 }), usage);
  const charged = quota.charge({ ...unlimited, rateLimit }, 1);
  await expect(charged).rejects.toThrow(UnavailableError);
  expect(usage.unwritten).toBe(0);
});

it('reports the rate state of charged keys with a rate limit only', async () => {
  const { rate } = await quota.charge({ ...unlimited, rateLimit }, 1);
  expect(rateStateOf({ ...NO_CHARGE, rate })).toMatchObject([{ name: 'key', limit: 3, remaining: 2 }]);
  for (const decision of [NO_CHARGE, null, undefined]) expect(rateStateOf(decision)).toEqual([]);
});
