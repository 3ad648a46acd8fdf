import { PairCache, PairEntry } from './pair-cache.js';

class Entry extends PairEntry {}

function cacheOf(max: number, ...entries: Entry[]): PairCache<Entry> {
  const cache = new PairCache<Entry>(max);
  for (const one of entries) cache.put(one);
  return cache;
}

function entry(digest: string, keyHash = digest, alsoEndedBy?: string[]): Entry {
  return new Entry(digest, keyHash, alsoEndedBy);
}

function digestsIn(cache: PairCache<Entry>, ...digests: string[]): string[] {
  return digests.filter((digest) => cache.get(digest));
}

it('returns what was put', () => {
  const a = entry('a');
  const cache = cacheOf(2, a);
  expect(cache.get('a')).toBe(a);
  expect(cache.get('b')).toBeUndefined();
});

it('evicts what was used least recently', () => {
  const cache = cacheOf(3, entry('a'), entry('b'), entry('c'));
  cache.get('a');
  cache.put(entry('d'));
  cache.get('c');
  cache.put(entry('e'));
  expect(digestsIn(cache, 'a', 'b', 'c', 'd', 'e')).toEqual(['c', 'd', 'e']);
  expect(cache.size).toBe(3);
});

it('holds one entry for a pair', () => {
  const again = entry('a');
  const cache = cacheOf(2, entry('a'), again, entry('b'));
  expect(cache.size).toBe(2);
  expect(cache.get('a')).toBe(again);
});

it('forgets all pairs of a key, and no others', () => {
  const cache = cacheOf(10, entry('a', 'k'), entry('b', 'k'), entry('c', 'k'), entry('d', 'l'));
  cache.forget('k');
  expect(digestsIn(cache, 'a', 'b', 'c', 'd')).toEqual(['d']);
  cache.forget('m');
  expect(cache.size).toBe(1);
});

it('forgets a pair by the change of another key', () => {
  const cache = cacheOf(10, entry('a', 'k', ['l', 'm']), entry('b', 'l'));
  cache.forget('l');
  expect(cache.size).toBe(0);
  // And with that, what it was noted under
  cache.put(entry('a', 'n'));
  for (const keyHash of ['k', 'l', 'm']) cache.forget(keyHash);
  expect(cache.size).toBe(1);
});

it('stays in order when entries from its middle are deleted', () => {
  const cache = cacheOf(3, entry('a'), entry('b'), entry('c'));
  cache.forget('b');
  cache.put(entry('d'));
  cache.put(entry('e'));
  cache.put(entry('f'));
  expect(digestsIn(cache, 'a', 'b', 'c', 'd', 'e', 'f')).toEqual(['d', 'e', 'f']);
});

it('is empty when it was cleared, and works again', () => {
  const cache = cacheOf(2, entry('a', 'k'), entry('b'));
  cache.clear();
  expect([cache.size, cache.get('a')]).toEqual([0, undefined]);
  for (const digest of ['c', 'd', 'e']) cache.put(entry(digest, 'k'));
  expect(digestsIn(cache, 'c', 'd', 'e')).toEqual(['d', 'e']);
});
