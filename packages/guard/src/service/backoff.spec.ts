import { Backoff } from './backoff.js';

it('doubles up to the maximum, and begins again when it was reset', () => {
  const backoff = new Backoff(50, 300, () => 1);
  expect(Array.from({ length: 5 }, () => backoff.nextMs())).toEqual([50, 100, 200, 300, 300]);
  backoff.reset();
  expect(backoff.nextMs()).toBe(50);
});

it('is jittered, down to a half', () => {
  expect(new Backoff(50, 300, () => 0).nextMs()).toBe(25);
});
