import { ConcurrencyLimit } from './concurrency-limit.js';

it('counts requests by weight, and lets bulk requests fill at most half of the slots', () => {
  const limit = new ConcurrencyLimit(100, 'Too many.');
  limit.acquire(50);
  expect(() => limit.acquire(2)).toThrow('Too many. Try again in a moment.');
  for (let i = 0; i < 50; i++) limit.acquire();
  expect(() => limit.acquire()).toThrow('Too many.');
  expect([limit.active, limit.rejected]).toEqual([100, 2]);
  limit.release(50);
  expect(() => limit.acquire(2)).toThrow('Too many.');
  limit.release(2);
  limit.acquire(2);
  expect(limit.active).toBe(50);
});
