import type { GrantTerms } from '../src/knowledge/grant.js';

/** What a service grants, for tests. */
export function termsOf(terms: Partial<GrantTerms> = {}): GrantTerms {
  return {
    position: 100n,
    epoch: 'e',
    keyId: 'id',
    ownerId: 'owner',
    name: 'a key',
    scopes: ['data.pin_list'],
    allowedCidrs: null,
    expiresInMs: null,
    expiresAt: null,
    which: 'current',
    overlapEndsInMs: null,
    forgetOn: [],
    ...terms,
  };
}
