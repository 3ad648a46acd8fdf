import { RefusalPacing } from './refusal-pacing.js';

const delaysOf = (pacing: RefusalPacing, network: string, count: number, now: number) =>
  Array.from({ length: count }, () => pacing.delay(network, now));

it('holds back what one network is refused beyond a hundred times a second, and nobody else', () => {
  const pacing = new RefusalPacing();
  expect(delaysOf(pacing, 'a', 100, 5_000)).toEqual(Array.from({ length: 100 }, () => 0));
  const beyond = delaysOf(pacing, 'a', 50, 5_500);
  expect(Math.min(...beyond)).toBeGreaterThanOrEqual(750);
  expect(Math.max(...beyond)).toBeLessThanOrEqual(1_000);
  expect(delaysOf(pacing, 'b', 100, 5_500)).toEqual(Array.from({ length: 100 }, () => 0));
  expect(delaysOf(pacing, 'a', 1, 6_000)).toEqual([0]);
});
