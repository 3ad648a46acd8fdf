import { range } from '../../test/support/at-once.js';
import type { RateLimit } from '../principals/key-limits.js';
import { TestClock } from '../../test/support/clock.js';
import { itKeepsRateLimits } from '../../test/support/rate-limits.js';
import { heldMemory } from '../../test/support/held-memory.js';
import { UnavailableError } from '../http/errors/api-error.js';
import { InProcessRateLimiter } from './in-process-rate-limiter.js';

/** The number of calls granted out of twenty. */
function grants(limiter: InProcessRateLimiter, key: string, rate: RateLimit, owner?: string): number {
  try {
    return range(20).filter(() => limiter.take(key, rate, 1, owner).granted).length;
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return 0;
  }
}

const limit = { requests: 10, windowSeconds: 60 };

itKeepsRateLimits(() => {
  const clock = new TestClock();
  return { limiter: new InProcessRateLimiter(clock), clock };
}, 500);

it('sustains the configured rate, less two hundredths at most', () => {
  const clock = new TestClock();
  const limiter = new InProcessRateLimiter(clock);
  let granted = 0;
  for (let second = 0; second < 6_000; second++) {
    clock.time += 1_000;
    if (limiter.take('key', limit, 1).granted) granted++;
  }
  expect(granted).toBeLessThanOrEqual(1_000);
  expect(granted).toBeGreaterThanOrEqual(980);
});

it('counts each key separately', () => {
  const limiter = new InProcessRateLimiter(new TestClock());
  expect(limiter.take('one', limit, 10).granted).toBe(true);
  expect(limiter.take('other', limit, 10).granted).toBe(true);
  expect(limiter.take('one', limit, 1).granted).toBe(false);
});

it('never evicts an active window: with its memory exhausted, it rejects new ones', () => {
  const clock = new TestClock();
  const limiter = new InProcessRateLimiter(clock, { key: 50_000, other: 50_000 });
  const daily = { requests: 5, windowSeconds: 86_400 };
  const granted = range(1_000).map((i) => grants(limiter, `key:${i}`, daily, `owner ${i}`));
  const opened = granted.filter((count) => count > 0).length;
  expect(opened).toBeGreaterThan(50);
  expect(new Set(granted)).toEqual(new Set([5, 0]));
  expect(limiter.bytes).toBeLessThanOrEqual(50_000);
  expect(range(1_000).map((i) => grants(limiter, `key:${i}`, daily, `owner ${i}`))).toEqual(range(1_000).map(() => 0));
  expect(() => limiter.take('key:another', daily, 1)).toThrow(UnavailableError);
  clock.time += 87_300_000;
  expect(grants(limiter, 'key:another', daily)).toBe(5);
});

it('reserves memory for other owners', () => {
  const limiter = new InProcessRateLimiter(new TestClock(), { key: 50_000, other: 50_000 });
  const taken = range(1_000).map((i) => grants(limiter, `key:${i}`, limit, 'ann'));
  expect(taken.filter((count) => count > 0).length).toBeGreaterThan(10);
  expect(taken).toContain(0);
  expect(range(20).map((i) => grants(limiter, `key:other ${i}`, limit, 'bob'))).toEqual(range(20).map(() => 10));
});

it('counts each purpose in its own memory', () => {
  const limiter = new InProcessRateLimiter(new TestClock(), { key: 50_000, other: 50_000 });
  const opened = (purpose: string) =>
    range(1_000).filter((i) => grants(limiter, `${purpose}:${i}`, limit, `owner ${i}`) > 0).length;
  expect(opened('management')).toBeGreaterThan(50);
  expect(opened('refused')).toBeGreaterThan(50);
  expect(opened('key')).toBeGreaterThan(50);
});

it('grants no more than the limit in a window that may not grow, and keeps granting', () => {
  const clock = new TestClock();
  const bytes = 10_000;
  const limiter = new InProcessRateLimiter(clock, { key: bytes, other: bytes });
  let opened = 0;
  while (grants(limiter, `key:${opened}`, { requests: 1, windowSeconds: 86_400 }) > 0) opened++;
  const times: number[] = [];
  for (const _ of range(6_000)) {
    clock.time += 100;
    if (limiter.take('key:0', limit, 1).granted) times.push(clock.time);
    expect(limiter.bytes).toBeLessThanOrEqual(bytes);
  }
  const within = (end: number) => times.filter((time) => time > end - 60_000 && time <= end).length;
  expect(Math.max(...times.map(within))).toBeLessThanOrEqual(10);
  expect(times.length).toBeGreaterThan(50);
});

it.each([1, 5, 50])('estimates its memory use, with windows of %d charges', async (charges) => {
  const [clock, keys] = [new TestClock(), 5_000];
  const limiter = new InProcessRateLimiter(clock);
  const id = (i: number) => `0199c0de-0000-7000-8000-${String(i).padStart(12, '0')}`;
  const before = await heldMemory();
  for (const _ of range(charges)) {
    clock.time += 600;
    for (const i of range(keys)) {
      limiter.take(`key:${id(i)}`, { requests: 100, windowSeconds: 60 }, 1, `owner ${i % 100}`);
    }
  }
  const [actual, estimated] = [(await heldMemory()) - before, limiter.bytes].map((bytes) => Math.round(bytes / keys));
  process.stdout.write(`a window with ${charges} charges: ${actual} bytes, estimated ${estimated}\n`);
  expect((estimated as number) / (actual as number)).toBeGreaterThan(0.7);
  expect((estimated as number) / (actual as number)).toBeLessThan(1.5);
});

it('drops expired windows as new ones are opened', () => {
  const clock = new TestClock();
  const limiter = new InProcessRateLimiter(clock);
  for (let i = 0; i < 500; i++) limiter.take(`old ${i}`, limit, 1);
  clock.time += 61_000;
  for (let i = 0; i < 500; i++) limiter.take(`new ${i}`, limit, 1);
  expect(limiter.size).toBe(500);
});

it('opens no window for a cost of 0 or a denial', () => {
  const limiter = new InProcessRateLimiter(new TestClock());
  limiter.take('free', limit, 0);
  limiter.take('never', limit, 11);
  expect(limiter.size).toBe(0);
});

it('refunds no more than still counts if the window changed and changed back', async () => {
  const clock = new TestClock();
  const limiter = new InProcessRateLimiter(clock);
  const charged = limiter.take('key', limit, 5);
  clock.time += 30_000;
  limiter.take('key', { ...limit, windowSeconds: 1 }, 0);
  limiter.take('key', limit, 0);
  await charged.refund();
  expect(limiter.take('key', limit, 11).granted).toBe(false);
});
