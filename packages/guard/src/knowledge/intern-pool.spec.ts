import { InternPool } from './intern-pool.js';

it('returns one object for equal values', () => {
  const pool = new InternPool<string[]>(2);
  const first = pool.get('a', () => ['a']);
  expect(pool.get('a', () => ['a'])).toBe(first);
  expect(pool.get('b', () => ['b'])).toEqual(['b']);
});

it('is bounded', () => {
  const pool = new InternPool<string[]>(2);
  const first = pool.get('a', () => ['a']);
  for (const name of ['b', 'c']) pool.get(name, () => [name]);
  expect(pool.get('a', () => ['a'])).not.toBe(first);
});
