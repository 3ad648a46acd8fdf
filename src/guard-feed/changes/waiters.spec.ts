import { jest } from '@jest/globals';
import { UnavailableError } from '../../http/errors/api-error.js';
import { Waiters } from './waiters.js';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

it('wakes all who wait, a moment after the first of several reasons', async () => {
  const waiters = new Waiters();
  const woken = Promise.all([waiters.wait(1_000), waiters.wait(1_000)]);
  waiters.wake();
  waiters.wake();
  expect(waiters.count).toBe(2);
  jest.advanceTimersByTime(5);
  await woken;
  expect(waiters.count).toBe(0);
  expect(jest.getTimerCount()).toBe(0);
});

it('lets each wait for its own time at most', async () => {
  const waiters = new Waiters();
  const [first] = [waiters.wait(10), waiters.wait(20)];
  jest.advanceTimersByTime(10);
  await first;
  expect(waiters.count).toBe(1);
});

it('refuses those over 2,000, each for another time', () => {
  const waiters = new Waiters();
  for (let count = 0; count < 2_000; count++) waiters.wait(1_000).catch(() => undefined);
  const delays = Array.from({ length: 100 }, () => retryAfter(() => waiters.wait(1_000)));
  expect(new Set(delays).size).toBeGreaterThan(1);
  expect(delays.every((delay) => /^[1-4]$/.test(String(delay)))).toBe(true);
  waiters.wakeNow();
});

function retryAfter(wait: () => Promise<void>): string | undefined {
  try {
    wait().catch(() => undefined);
    return undefined;
  } catch (error) {
    return error instanceof UnavailableError ? error.headers['Retry-After'] : undefined;
  }
}
