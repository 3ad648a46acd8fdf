import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { KeptLog } from '../../test/support/log.js';
import { ApiError, UnavailableError } from '../http/errors/api-error.js';
import { TimeoutError } from '../database/with-timeout.js';
import { Batches } from './batches.js';
import { refused, type Verdict } from './verdict.js';
import type { VerifyRequest } from './verifier.js';

const VERDICT = refused('INVALID_CREDENTIALS');
const request = (apiKey: string): VerifyRequest => ({
  pair: { apiKey, secretKey: '' },
  requirements: { scopes: [], ip: undefined, cost: 1 },
});
const requests = (length: number) => Array.from({ length }, (_, index) => request(`key ${index}`));
const unavailable = (retryAfterSeconds: number) => ({ valid: false, code: 'UNAVAILABLE', retryAfterSeconds });

/** Decides nothing before it is told to. */
function held() {
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

beforeAll(() => Logger.overrideLogger(new KeptLog()));
afterEach(() => void jest.restoreAllMocks());

it('decides at once what needs no waiting', () => {
  expect(new Batches(() => VERDICT).decide(requests(3))).toEqual([VERDICT, VERDICT, VERDICT]);
});

it.each([
  ['an overload', new UnavailableError('Too many.', { retryAfterSeconds: 7 }), 7],
  ['a database that is away', new TimeoutError('no answer'), 2],
  ['a defect', new TypeError('undefined is not a function'), 2],
  ['an error without a time', new ApiError('internal', 'Something.'), 2],
])('leaves the others alone where one cannot be decided: %s', async (_, failure, seconds) => {
  for (const fail of [
    () => Promise.reject<Verdict>(failure),
    () =>
      ((): never => {
        throw failure;
      })(),
  ]) {
    const verify = ({ pair }: VerifyRequest) => (pair.apiKey === 'key 1' ? fail() : Promise.resolve(VERDICT));
    expect(await new Batches(verify).decide(requests(3))).toEqual([VERDICT, unavailable(seconds), VERDICT]);
  }
});

it('decides those on one key in their order, and none behind one that could not be decided', async () => {
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
  const outcomes = await new Batches(verify).decide([...one, request('other')]);
  expect(outcomes).toEqual([VERDICT, unavailable(2), unavailable(2), VERDICT]);
  expect(seen.toSorted()).toEqual([1, 1, 2]);
});

it('lets 25 of one batch wait at once, and goes on as they settle', async () => {
  const { waiting, verify, decideAll } = held();
  const outcomes = new Batches(verify).decide(requests(100));
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
  const { waiting, verify, decideAll } = held();
  const batches = new Batches(verify);
  const outcomes = Array.from({ length: 40 }, () => batches.decide(requests(100)));
  expect(waiting).toHaveLength(500 + 20);
  await decideAll();
  expect((await Promise.all(outcomes.map(async (one) => one))).flat()).toHaveLength(4_000);
});

it('begins nothing more after so long that nobody would wait for it', async () => {
  const { waiting, verify, decideAll } = held();
  const outcomes = new Batches(verify).decide(requests(30));
  expect(waiting).toHaveLength(25);
  const now = performance.now();
  jest.spyOn(performance, 'now').mockReturnValue(now + 6_000);
  await decideAll();
  expect((await outcomes).map(({ code }) => code)).toEqual([
    ...Array.from({ length: 25 }, () => 'INVALID_CREDENTIALS'),
    ...Array.from({ length: 5 }, () => 'UNAVAILABLE'),
  ]);
});
