import { PairDigests } from './pair-digest.js';

it('tells pairs apart, wherever their halves meet', () => {
  const digests = new PairDigests();
  const pairs = [
    ['ab', 'c'],
    ['a', 'bc'],
    ['ab', 'd'],
  ] as const;
  const names = pairs.map(([apiKey, secretKey]) => digests.of({ apiKey, secretKey }));
  expect(new Set(names).size).toBe(3);
  expect(names[0]).toHaveLength(32);
  expect(digests.of({ apiKey: 'ab', secretKey: 'c' })).toBe(names[0]);
});

it('names the same pair differently in another process', () => {
  const pair = { apiKey: 'a', secretKey: 'b' };
  expect(new PairDigests().of(pair)).not.toBe(new PairDigests().of(pair));
});
