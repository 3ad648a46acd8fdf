import { RefusalPacing } from './refusal-pacing.js';

const delaysOf = (pacing: RefusalPacing, network: string, count: number, now: number) =>
  Array.from({ length: count }, () => pacing.delay(network, now));

it('delays the refusals of a network over a hundred a second, longer and longer, but not those of others', () => {
  const pacing = new RefusalPacing();
  expect(delaysOf(pacing, 'a', 20, 5_000)).toEqual(Array.from({ length: 20 }, () => 0));
  expect(delaysOf(pacing, 'a', 3, 5_000)).toEqual([10, 20, 30]);
  expect(delaysOf(pacing, 'b', 1, 5_000)).toEqual([0]);
  const beyond = delaysOf(pacing, 'a', 500, 5_000);
  expect(Math.max(...beyond)).toBeLessThanOrEqual(1_000);
  expect(Math.min(...beyond.slice(200))).toBeGreaterThanOrEqual(500);
  expect(delaysOf(pacing, 'a', 20, 7_000)).toEqual(Array.from({ length: 20 }, () => 0));
});

it('counts heavier refusals as several', () => {
  const pacing = new RefusalPacing();
  const delays = Array.from({ length: 4 }, () => pacing.delay('a', 5_000, 8));
  expect(delays).toEqual([0, 0, 40, 120]);
});
