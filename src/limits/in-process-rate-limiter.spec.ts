import { TestClock } from '../../test/support/clock.js';
import { itKeepsRateLimits } from '../../test/support/rate-limits.js';
import { InProcessRateLimiter } from './in-process-rate-limiter.js';

const limit = { requests: 10, windowSeconds: 60 };

itKeepsRateLimits(() => {
  const clock = new TestClock();
  return { limiter: new InProcessRateLimiter(10, clock), clock };
}, 500);

it('lets through what the rate allows in the long run, less a hundredth', () => {
  const clock = new TestClock();
  const limiter = new InProcessRateLimiter(10, clock);
  let granted = 0;
  for (let second = 0; second < 6_000; second++) {
    clock.time += 1_000;
    if (limiter.take('key', limit, 1).granted) granted++;
  }
  expect(granted).toBeLessThanOrEqual(1_000);
  expect(granted).toBeGreaterThanOrEqual(980);
});

it('counts each key for itself', () => {
  const limiter = new InProcessRateLimiter(10, new TestClock());
  expect(limiter.take('one', limit, 10).granted).toBe(true);
  expect(limiter.take('other', limit, 10).granted).toBe(true);
  expect(limiter.take('one', limit, 1).granted).toBe(false);
});

it('remembers no more keys than it may, and forgets the one that was asked for least recently', () => {
  const limiter = new InProcessRateLimiter(2, new TestClock());
  for (const key of ['first', 'second', 'first', 'third']) limiter.take(key, limit, 5);
  expect(limiter.size).toBe(2);
  expect(limiter.take('first', limit, 1).granted).toBe(false);
  expect(limiter.take('second', limit, 10).granted).toBe(true);
});

it('drops windows that are over as new ones come', () => {
  const clock = new TestClock();
  const limiter = new InProcessRateLimiter(1_000, clock);
  for (let i = 0; i < 500; i++) limiter.take(`old ${i}`, limit, 1);
  clock.time += 61_000;
  for (let i = 0; i < 500; i++) limiter.take(`new ${i}`, limit, 1);
  expect(limiter.size).toBe(500);
});

it('remembers nothing for what costs nothing, or is refused', () => {
  const limiter = new InProcessRateLimiter(10, new TestClock());
  limiter.take('free', limit, 0);
  limiter.take('never', limit, 11);
  expect(limiter.size).toBe(0);
});

it('gives back no more than still counts, where the window has changed and changed back', async () => {
  const clock = new TestClock();
  const limiter = new InProcessRateLimiter(10, clock);
  const charged = limiter.take('key', limit, 5);
  clock.time += 30_000;
  limiter.take('key', { ...limit, windowSeconds: 1 }, 0);
  limiter.take('key', limit, 0);
  await charged.giveBack();
  expect(limiter.take('key', limit, 11).granted).toBe(false);
});
