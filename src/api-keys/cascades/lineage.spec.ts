import { range } from '../../../test/support/at-once.js';
import { endedAmong } from './lineage.js';

const key = (id: string, issued_by: string | null = null, is_root = false) => ({ id, issued_by, is_root });
const endedOf = (...ancestors: ReturnType<typeof key>[]) =>
  [...endedAmong(ancestors)].filter(([, isEnded]) => isEnded).map(([id]) => id);

it('ends a root and whatever descends from it, in whatever order they come', () => {
  const keys = [key('top'), key('root', 'top', true), key('child', 'root'), key('leaf', 'child'), key('niece', 'top')];
  for (const order of [keys, keys.toReversed()])
    expect(endedOf(...order).toSorted()).toEqual(['child', 'leaf', 'root']);
});

it('ends what descends from either of two roots, one below the other', () => {
  const keys = [key('outer', null, true), key('between', 'outer'), key('inner', 'between', true), key('leaf', 'inner')];
  expect(endedOf(...keys).toSorted()).toEqual(['between', 'inner', 'leaf', 'outer']);
});

it('ends nothing where an issuer is missing, or issuers go round in a circle', () => {
  expect(endedOf(key('orphan', 'purged'))).toEqual([]);
  expect(endedOf(key('one', 'other'), key('other', 'one'), key('leaf', 'one'), key('self', 'self'))).toEqual([]);
});

it('follows a chain of any length', () => {
  const chain = range(100_000).map((i) => key(String(i), i === 0 ? null : String(i - 1), i === 0));
  expect(endedOf(...chain.toReversed())).toHaveLength(100_000);
});
