import { range } from '../../../test/support/at-once.js';
import { revokedAmong } from './lineage.js';

const key = (id: string, issued_by: string | null = null, is_root = false) => ({ id, issued_by, is_root });
const revokedOf = (...ancestors: ReturnType<typeof key>[]) =>
  [...revokedAmong(ancestors)].filter(([, isRevoked]) => isRevoked).map(([id]) => id);

it('revokes a root and its descendants, in any order of the rows', () => {
  const keys = [key('top'), key('root', 'top', true), key('child', 'root'), key('leaf', 'child'), key('niece', 'top')];
  for (const order of [keys, keys.toReversed()])
    expect(revokedOf(...order).toSorted()).toEqual(['child', 'leaf', 'root']);
});

it('revokes the descendants of two roots, one below the other', () => {
  const keys = [key('outer', null, true), key('between', 'outer'), key('inner', 'between', true), key('leaf', 'inner')];
  expect(revokedOf(...keys).toSorted()).toEqual(['between', 'inner', 'leaf', 'outer']);
});

it('revokes nothing if an issuer is missing, or issuers form a cycle', () => {
  expect(revokedOf(key('orphan', 'purged'))).toEqual([]);
  expect(revokedOf(key('one', 'other'), key('other', 'one'), key('leaf', 'one'), key('self', 'self'))).toEqual([]);
});

it('follows a chain of any length', () => {
  const chain = range(100_000).map((i) => key(String(i), i === 0 ? null : String(i - 1), i === 0));
  expect(revokedOf(...chain.toReversed())).toHaveLength(100_000);
});
