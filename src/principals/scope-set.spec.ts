import fc from 'fast-check';
import { ScopeSet } from './scope-set.js';
import { allows, effectiveScopes, type GivenScopes, grantedScopes, SCOPES, SCOPE_TREE } from './scopes.js';

/** Flags may be missing, as in rows that are older than a scope. */
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

it('agrees with the functions on scopes, whether or not flags are missing', () => {
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

it('shares one instance among scopes with the same effect', () => {
  expect(ScopeSet.of({ admin: false, data: { pin_list: true } })).toBe(
    ScopeSet.of({ admin: false, data: { pin_list: true, nft_list: false }, pinning: {} }),
  );
  expect(ScopeSet.of({ admin: true })).toBe(ScopeSet.of({ admin: true, data: { pin_list: false } }));
});

it('grants nothing if there are no scopes at all', () => {
  const none = ScopeSet.of({} as GivenScopes);
  expect([none.names, none.effective.admin, none.allows(['admin'])]).toEqual(['', false, false]);
});
