import { freshForMs, StalePolicy, type StaleDecision } from './stale-policy.js';

const BOUND_MS = 1_000;
const STALE_SECONDS = 30;
/** The feed has lost track five times, the last but one time when the server changed. */
const EPOCHS = { epoch: 5, serverEpoch: 4 };

interface Case {
  feedAgeMs?: number;
  keyEpoch?: number;
  isDue?: boolean;
  isDatabaseRefused?: boolean;
  staleIfErrorSeconds?: number;
}

function decide({ feedAgeMs = 0, keyEpoch = 5, isDue = false, isDatabaseRefused = false, ...rest }: Case) {
  const { staleIfErrorSeconds = STALE_SECONDS } = rest;
  const policy = new StalePolicy({ revocationBoundMs: BOUND_MS, staleIfErrorSeconds });
  return policy.decide(feedAgeMs, keyEpoch, EPOCHS, isDue, isDatabaseRefused);
}

const unavailable = { isDatabaseRefused: true };

it.each<[string, Case, StaleDecision]>([
  ['a key read in this epoch', {}, 'fresh'],
  ['just within the fresh part of the bound', { feedAgeMs: 899.9 }, 'fresh'],
  ['at the end of the fresh part of the bound', { feedAgeMs: 900 }, 'revalidate'],
  ['before the first poll', { feedAgeMs: Number.POSITIVE_INFINITY }, 'revalidate'],
  ['a key read in an earlier epoch', { keyEpoch: 4 }, 'revalidate'],
  ['a key from another server', { keyEpoch: 3 }, 'revalidate'],
  ['a key at the end of its lifetime', { isDue: true }, 'revalidate'],
])('with the database available: %s', (_, state, expected) => {
  expect(decide(state)).toBe(expected);
});

it.each<[string, Case, StaleDecision]>([
  ['a key that needs no reading', {}, 'fresh'],
  ['a feed that is no longer fresh', { feedAgeMs: 900 }, 'serve stale'],
  ['the last moment of the stale period', { feedAgeMs: 31_000 }, 'serve stale'],
  ['after the stale period', { feedAgeMs: 31_000.1 }, 'refuse'],
  ['before the first poll', { feedAgeMs: Number.POSITIVE_INFINITY }, 'refuse'],
  ['a key at the end of its lifetime', { isDue: true }, 'serve stale'],
  ['a key read since the server changed', { keyEpoch: 4 }, 'serve stale'],
  ['a key from another server', { keyEpoch: 3 }, 'refuse'],
  ['a key from another server, though the feed is fresh', { keyEpoch: 3, feedAgeMs: 0 }, 'refuse'],
  ['no stale period, within the bound', { feedAgeMs: 950, staleIfErrorSeconds: 0 }, 'refuse'],
  ['no stale period, an earlier epoch', { keyEpoch: 4, staleIfErrorSeconds: 0 }, 'refuse'],
  ['no stale period, a fresh key', { staleIfErrorSeconds: 0 }, 'fresh'],
  ['a stale period of one second, at its end', { feedAgeMs: 2_000, staleIfErrorSeconds: 1 }, 'serve stale'],
  ['a stale period of one second, after it', { feedAgeMs: 2_001, staleIfErrorSeconds: 1 }, 'refuse'],
])('with the database unavailable: %s', (_, state, expected) => {
  expect(decide({ ...unavailable, ...state })).toBe(expected);
});

it('never calls a key fresh that it failed to revalidate', () => {
  const decideWithoutDatabase = (staleIfErrorSeconds: number) =>
    new StalePolicy({ revocationBoundMs: BOUND_MS, staleIfErrorSeconds }).decideWithoutDatabase(0, 5, EPOCHS);
  expect([STALE_SECONDS, 0].map(decideWithoutDatabase)).toEqual(['serve stale', 'refuse']);
});

it('reserves a tenth of the bound for the answer', () => {
  expect([1_000, 200].map(freshForMs)).toEqual([900, 180]);
});
