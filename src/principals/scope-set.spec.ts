import fc from 'fast-check';
import { ScopeSet } from './scope-set.js';
import { allows, effectiveScopes, type GivenScopes, grantedScopes, SCOPES, SCOPE_TREE } from './scopes.js';

/** Members may be missing, as in rows that were not written by this service. */
const given = fc.record(
  {
    admin: fc.boolean(),
    ...Object.fromEntries(
      Object.entries(SCOPE_TREE).map(([group, flags]) => [
        group,
        fc.record(Object.fromEntries(flags.map((flag) => [flag, fc.boolean()])), { requiredKeys: [] }),
      ]),
    ),
  },
  { requiredKeys: ['admin'] },
) as fc.Arbitrary<GivenScopes>;

it('says of all that was given, members missing or not, what the functions on scopes say', () => {
  fc.assert(
    fc.property(given, fc.subarray([...SCOPES]), (scopes, needed) => {
      const set = ScopeSet.of(scopes);
      expect(set.effective).toEqual(effectiveScopes(scopes));
      expect(set.json).toBe(JSON.stringify(effectiveScopes(scopes)));
      expect(set.names).toBe(grantedScopes(scopes).join(' '));
      expect(set.allows(needed)).toBe(needed.every((scope) => allows(scopes, scope)));
    }),
    { numRuns: 2_000 },
  );
});

it('is one object for all that amounts to the same', () => {
  expect(ScopeSet.of({ admin: false, data: { pin_list: true } })).toBe(
    ScopeSet.of({ admin: false, data: { pin_list: true, nft_list: false }, pinning: {} }),
  );
  expect(ScopeSet.of({ admin: true })).toBe(ScopeSet.of({ admin: true, data: { pin_list: false } }));
});

it('grants nothing for scopes that are missing altogether', () => {
  const none = ScopeSet.of({} as GivenScopes);
  expect([none.names, none.effective.admin, none.allows(['admin'])]).toEqual(['', false, false]);
});
