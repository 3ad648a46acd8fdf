import { Grant, type GrantTerms } from './grant.js';
import { at } from '../../test/moments.js';
import { termsOf } from '../../test/terms.js';

function grantOf(terms: Partial<GrantTerms> = {}): Grant {
  return new Grant('digest', 'hash', termsOf(terms), at(0));
}

it.each<[string, Partial<GrantTerms>, number]>([
  ['ten minutes at most', {}, 600_000],
  ['as long as its key', { expiresInMs: 5_000 }, 5_000],
  ['as long as the overlap of its secret', { overlapEndsInMs: 3_000, expiresInMs: 5_000 }, 3_000],
  ['ten minutes, if its key lives longer', { expiresInMs: 1e9, overlapEndsInMs: 1e8 }, 600_000],
  ['not at all, if its key has expired', { expiresInMs: -1 }, -1],
])('lives %s, from when the service was asked', (_, terms, livesMs) => {
  const grant = grantOf(terms);
  expect([livesMs - 1, livesMs].map((milliseconds) => grant.isOverAt(at(milliseconds)))).toEqual([false, true]);
});

it('is over by either clock', () => {
  const grant = grantOf();
  expect(grant.isOverAt({ steady: 0, wall: at(600_000).wall })).toBe(true);
  expect(grant.isOverAt({ steady: 600_000, wall: at(0).wall })).toBe(true);
});

it('shares equal scopes and networks', () => {
  const terms = { scopes: ['admin', 'data.pin_list'], allowedCidrs: ['10.0.0.0/8'] };
  const [one, other] = [grantOf(terms), grantOf({ ...terms, scopes: [...terms.scopes] })];
  expect(one.granted).toBe(other.granted);
  expect(one.networks).toBe(other.networks);
  expect(one.granted.isAdmin).toBe(true);
  expect(grantOf().granted.isAdmin).toBe(false);
});
