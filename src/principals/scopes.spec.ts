import { allows, effectiveScopes, type GivenScopes, inTreeOrder, SCOPE_TREE, type Scope } from './scopes.js';

const every: Scope[] = [
  'admin',
  'data.pin_list',
  'data.nft_list',
  'pinning.unpin',
  'pinning.pin_by_hash',
  'pinning.pin_file_to_ipfs',
  'pin_nft.unpin_nft',
  'pin_nft.pin_nft_to_ipfs',
];

const none: GivenScopes = {
  admin: false,
  data: { pin_list: false, nft_list: false },
  pinning: { unpin: false, pin_by_hash: false, pin_file_to_ipfs: false },
  pin_nft: { unpin_nft: false, pin_nft_to_ipfs: false },
};

it('has the scopes of the documentation', () => {
  const names = Object.entries(SCOPE_TREE).flatMap(([group, flags]) => flags.map((flag) => `${group}.${flag}`));
  expect(['admin', ...names].toSorted()).toEqual(every.toSorted());
});

describe('allows()', () => {
  it('lets admin imply every scope, even one that was given as false', () => {
    for (const scope of every) expect(allows({ ...none, admin: true }, scope)).toBe(true);
  });

  it('lets an ordinary key do what it was given, and nothing else', () => {
    const scopes = { ...none, pinning: { unpin: true, pin_by_hash: false, pin_file_to_ipfs: false } };
    expect(every.filter((scope) => allows(scopes, scope))).toEqual(['pinning.unpin']);
  });

  it('does not take what every object inherits for a scope', () => {
    for (const name of ['toString', 'data.constructor', '__proto__.x', 'data.', '', 'data']) {
      expect(allows(none, name as Scope)).toBe(false);
    }
  });
});

it('puts scopes into the order of the tree, and leaves out what was left out', () => {
  const shuffled: GivenScopes = {
    pin_nft: { pin_nft_to_ipfs: false, unpin_nft: true },
    pinning: { pin_file_to_ipfs: false, unpin: true, pin_by_hash: false },
    data: { nft_list: true },
    admin: true,
  };
  expect(JSON.stringify(inTreeOrder(shuffled))).toBe(
    '{"admin":true,"data":{"nft_list":true},"pinning":{"unpin":true,"pin_by_hash":false,"pin_file_to_ipfs":false},' +
      '"pin_nft":{"unpin_nft":true,"pin_nft_to_ipfs":false}}',
  );
  expect(inTreeOrder({ admin: true })).toEqual({ admin: true });
});

describe('effectiveScopes()', () => {
  it('fills the tree of an admin key with true', () => {
    const effective = effectiveScopes({ admin: true, data: { pin_list: false } });
    expect(every.every((scope) => allows({ ...effective, admin: false }, scope) || scope === 'admin')).toBe(true);
    expect(effective.admin).toBe(true);
  });

  it('shows an ordinary key as it is', () => {
    expect(effectiveScopes(none)).toEqual(none);
  });
});
