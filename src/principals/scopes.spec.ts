import {
  allows,
  effectiveScopes,
  type GivenScopes,
  grantedScopes,
  NEW_SCOPES,
  normalizeScopes,
  type Scope,
  SCOPES,
  scopesOf,
} from './scopes.js';

const documented: Scope[] = [
  'admin',
  'data.pin_list',
  'data.nft_list',
  'pinning.unpin',
  'pinning.pin_by_hash',
  'pinning.pin_file_to_ipfs',
  'pin_nft.unpin_nft',
  'pin_nft.pin_nft_to_ipfs',
];

const none = effectiveScopes({ admin: false });

it('has the scopes of the documentation, all of which requests must name', () => {
  expect(SCOPES).toEqual(expect.arrayContaining(documented));
  expect(NEW_SCOPES.filter((scope) => documented.includes(scope))).toEqual([]);
});

describe('allows()', () => {
  it('lets admin imply every scope, even one that was given as false', () => {
    for (const scope of SCOPES) expect(allows({ ...none, admin: true }, scope)).toBe(true);
  });

  it('allows an ordinary key what it was given, and nothing else', () => {
    for (const scope of SCOPES.filter((name) => name !== 'admin')) {
      expect(grantedScopes(effectiveScopes(scopesOf([scope])))).toEqual([scope]);
    }
  });

  it('does not take inherited properties for scopes', () => {
    for (const name of ['toString', 'data.constructor', '__proto__.x', 'data.', '', 'data']) {
      expect(allows(none, name as Scope)).toBe(false);
    }
  });
});

describe('normalizeScopes()', () => {
  it('orders the scopes of an admin key by the tree, and leaves out what was left out', () => {
    const shuffled: GivenScopes = {
      pin_nft: { pin_nft_to_ipfs: false, unpin_nft: true },
      pinning: { pin_file_to_ipfs: false, unpin: true, pin_by_hash: false },
      data: { nft_list: true },
      admin: true,
    };
    expect(JSON.stringify(normalizeScopes(shuffled))).toBe(
      '{"admin":true,"data":{"nft_list":true},"pinning":{"unpin":true,"pin_by_hash":false,"pin_file_to_ipfs":false},' +
        '"pin_nft":{"unpin_nft":true,"pin_nft_to_ipfs":false}}',
    );
    expect(normalizeScopes({ admin: true })).toEqual({ admin: true });
  });

  it('completes the scopes of any other key, which may be older than one of them', () => {
    const older: GivenScopes = { pinning: { unpin: true, pin_by_hash: false }, data: { nft_list: true }, admin: false };
    const complete = effectiveScopes(scopesOf(['data.nft_list', 'pinning.unpin']));
    expect(JSON.stringify(normalizeScopes(older))).toBe(JSON.stringify(complete));
  });
});

describe('effectiveScopes()', () => {
  it('fills the tree of an admin key with true', () => {
    const effective = effectiveScopes({ admin: true, data: { pin_list: false } });
    expect(grantedScopes({ ...effective, admin: false })).toEqual(SCOPES.filter((scope) => scope !== 'admin'));
    expect(effective.admin).toBe(true);
  });

  it('shows an ordinary key as it is', () => {
    const scopes = { ...none, pinning: { ...none.pinning, unpin: true } };
    expect(effectiveScopes(scopes)).toEqual(scopes);
  });
});
