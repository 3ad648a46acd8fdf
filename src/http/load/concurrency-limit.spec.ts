import { ConcurrencyLimit } from './concurrency-limit.js';

it('counts each by its weight, and bulk up to half of the places', () => {
  const admission = new ConcurrencyLimit(100, 'Too many.');
  admission.acquire(50);
  expect(() => admission.acquire(2)).toThrow('Too many. Try again in a moment.');
  for (let i = 0; i < 50; i++) admission.acquire();
  expect(() => admission.acquire()).toThrow('Too many.');
  expect([admission.active, admission.rejected]).toEqual([100, 2]);
  admission.release(50);
  expect(() => admission.acquire(2)).toThrow('Too many.');
  admission.release(2);
  admission.acquire(2);
  expect(admission.active).toBe(50);
});
