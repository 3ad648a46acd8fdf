import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { cachedKeyOf } from '../../test/support/cached-keys.js';
import { KeptLog } from '../../test/support/log.js';
import { ApiError, UnavailableError } from '../http/errors/api-error.js';
import { TimeoutError } from '../database/with-timeout.js';
import type { Verify } from './batch-run.js';
import { NO_CHARGE } from '../limits/quota.js';
import { Batches, type Recheck } from './batches.js';
import { refused, type Verdict } from './verdict.js';
import type { VerifyRequest } from './verifier.js';

const VERDICT = refused('INVALID_CREDENTIALS');
const VALID: Verdict = { valid: true, code: 'VALID', key: cachedKeyOf(), charge: NO_CHARGE };
const request = (apiKey: string): VerifyRequest => ({
  pair: { apiKey, secretKey: '' },
  requirements: { scopes: [], ip: undefined, cost: 1 },
});
const requests = (length: number) => Array.from({ length }, (_, index) => request(`key ${index}`));
const unavailable = (retryAfterSeconds: number) => ({ valid: false, code: 'UNAVAILABLE', retryAfterSeconds });

/** Decides a request only when its `decide()` is called. */
function controlled() {
  const waiting: { apiKey: string; decide: () => void }[] = [];
  const verify = ({ pair }: VerifyRequest) =>
    new Promise<Verdict>((resolve) => waiting.push({ apiKey: pair.apiKey, decide: () => resolve(VERDICT) }));
  const decideAll = async () => {
    while (waiting.length > 0) {
      waiting.shift()?.decide();
      await new Promise(setImmediate);
    }
  };
  return { waiting, verify, decideAll };
}

const unchanged: Recheck = async (_, verdict) => verdict;
const batchesOf = (verify: Verify, recheck = unchanged) => new Batches(verify, recheck);

beforeAll(() => Logger.overrideLogger(new KeptLog()));
afterEach(() => void jest.restoreAllMocks());

it('decides requests that need no waiting, without rechecking them', async () => {
  const recheck = jest.fn(unchanged);
  expect(await batchesOf(() => VALID, recheck).decide(requests(3))).toEqual([VALID, VALID, VALID]);
  expect(recheck).not.toHaveBeenCalled();
});

it('rechecks the valid verdicts of a batch that has waited', async () => {
  const revoked = refused('REVOKED');
  const recheck: Recheck = async ({ pair }, verdict) => {
    if (pair.apiKey === 'key 1') throw new UnavailableError('Away.', { retryAfterSeconds: 4 });
    return pair.apiKey === 'key 0' ? revoked : verdict;
  };
  const verify: Verify = ({ pair }) => (pair.apiKey === 'key 3' ? Promise.resolve(VERDICT) : VALID);
  expect(await batchesOf(verify, recheck).decide(requests(4))).toEqual([revoked, unavailable(4), VALID, VERDICT]);
});

it.each([
  ['too much load', new UnavailableError('Too many.', { retryAfterSeconds: 7 }), 7],
  ['an unavailable database', new TimeoutError('no answer'), 2],
  ['a defect', new TypeError('undefined is not a function'), 2],
  ['an error without a time', new ApiError('internal', 'Something.'), 2],
])('decides the others if one request fails: %s', async (_, failure, seconds) => {
  for (const fail of [
    () => Promise.reject<Verdict>(failure),
    () =>
      ((): never => {
        throw failure;
      })(),
  ]) {
    const verify = ({ pair }: VerifyRequest) => (pair.apiKey === 'key 1' ? fail() : Promise.resolve(VERDICT));
    expect(await batchesOf(verify).decide(requests(3))).toEqual([VERDICT, unavailable(seconds), VERDICT]);
  }
});

it('decides requests with the same key in order, and none after one that failed', async () => {
  const seen: number[] = [];
  const one = [1, 2, 3].map((cost) => ({
    pair: request('one').pair,
    requirements: { scopes: [], ip: undefined, cost },
  }));
  const verify = async ({ requirements: need }: VerifyRequest) => {
    await new Promise(setImmediate);
    seen.push(need.cost);
    if (need.cost === 2) throw new UnavailableError('Away.');
    return VERDICT;
  };
  const outcomes = await batchesOf(verify).decide([...one, request('other')]);
  expect(outcomes).toEqual([VERDICT, unavailable(2), unavailable(2), VERDICT]);
  expect(seen.toSorted()).toEqual([1, 1, 2]);
});

it('lets 25 requests of a batch wait at once, and starts more as they settle', async () => {
  const { waiting, verify, decideAll } = controlled();
  const outcomes = batchesOf(verify).decide(requests(100));
  expect(waiting).toHaveLength(25);
  waiting.shift()?.decide();
  await new Promise(setImmediate);
  expect(waiting.map(({ apiKey }) => apiKey)).toEqual(
    requests(26)
      .slice(1)
      .map(({ pair }) => pair.apiKey),
  );
  await decideAll();
  expect(await outcomes).toHaveLength(100);
});

it('lets 500 of all batches wait at once, and of each further batch one', async () => {
  const { waiting, verify, decideAll } = controlled();
  const batches = batchesOf(verify);
  const outcomes = Array.from({ length: 40 }, () => batches.decide(requests(100)));
  expect(waiting).toHaveLength(500 + 20);
  await decideAll();
  expect((await Promise.all(outcomes.map(async (one) => one))).flat()).toHaveLength(4_000);
});

it('starts no request after five seconds', async () => {
  const { waiting, verify, decideAll } = controlled();
  const outcomes = batchesOf(verify).decide(requests(30));
  expect(waiting).toHaveLength(25);
  const now = performance.now();
  jest.spyOn(performance, 'now').mockReturnValue(now + 6_000);
  await decideAll();
  expect((await outcomes).map(({ code }) => code)).toEqual([
    ...Array.from({ length: 25 }, () => 'INVALID_CREDENTIALS'),
    ...Array.from({ length: 5 }, () => 'UNAVAILABLE'),
  ]);
});
