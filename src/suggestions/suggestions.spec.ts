import { probablyMeant, unknownMember } from './suggestions.js';

const UPDATE = [
  'name',
  'scopes',
  'limits',
  'metadata',
  'enabled',
  'scopes.admin',
  'limits.max_uses',
  'limits.expires_at',
];
const VERIFY = ['api_key', 'secret_key', 'credential', 'scope', 'ip', 'cost'];

describe('suggests a name for', () => {
  it.each([
    ['an alias that other services use', 'status', UPDATE, 'enabled'],
    ['the same in the plural', 'scopes', VERIFY, 'scope'],
    ['the same in the singular', 'limit', UPDATE, 'limits'],
    ['the same in another style', 'Secret-Key', VERIFY, 'secret_key'],
    ['the same in another place', 'maxUses', UPDATE, 'limits.max_uses'],
    ['an alias in another place', 'ttl', UPDATE, 'limits.expires_at'],
    ['a member of a member', 'admin', UPDATE, 'scopes.admin'],
    ['two letters swapped', 'metadtaa', UPDATE, 'metadata'],
    ['a missing letter', 'expire_at', UPDATE, 'limits.expires_at'],
    ['a wrong letter in a short name', 'cast', VERIFY, 'cost'],
  ])('%s', (_, name, known, meant) => {
    expect(unknownMember(name, known)).toEqual({
      path: name,
      message: `is not a known property; ${meant} was probably meant`,
    });
  });
});

it.each(['x', 'owner_id', 'version', 'id', '', '__', 'n'.repeat(33), 'constructor'])(
  'suggests nothing for %s',
  (name) => {
    expect(unknownMember(name, VERIFY)).toEqual({ path: name, message: 'is not a known property' });
  },
);

describe('suggests a value for', () => {
  const SCOPES = ['admin', 'data.pin_list', 'pinning.unpin'];
  it.each([
    ['its last part', 'pin_list', 'data.pin_list'],
    ['the same in another style', 'Data.PinList', 'data.pin_list'],
    ['a typing error in the whole value', 'pining.unpin', 'pinning.unpin'],
    ['a typing error in its last part', 'unpni', 'pinning.unpin'],
  ])('%s', (_, given, meant) => {
    expect(probablyMeant(given, SCOPES)).toBe(`; ${meant} was probably meant`);
  });

  it.each(['pinning', '', 7, undefined, 'n'.repeat(33)])('suggests nothing for %s', (given) => {
    expect(probablyMeant(given, SCOPES)).toBe('');
  });
});

it('includes the parent path, and limits the number of suggestions', () => {
  const place = { parent: 'requests.1.', kind: 'parameter' } as const;
  expect(unknownMember('scopes', VERIFY, { ...place, rank: 15 })).toEqual({
    path: 'requests.1.scopes',
    message: 'is not a known parameter; requests.1.scope was probably meant',
  });
  expect(unknownMember('scopes', VERIFY, { ...place, rank: 16 }).message).toBe('is not a known parameter');
});
