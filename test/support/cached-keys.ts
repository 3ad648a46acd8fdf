import { ApiKey, NEW_KEY } from '../../src/api-keys/api-key.entity.js';
import { CachedKey, digestOf, type SecretKind } from '../../src/verification/cache/cached-key.js';

const DEFAULTS: Partial<ApiKey> = {
  ...NEW_KEY,
  id: '0199c0de-0000-7000-8000-000000000001',
  ownerId: 'ann',
  name: 'a key',
  identifier: 'w3k_00000000000000000001',
  secretHash: '$argon2id$v=19$m=1024,t=1,p=1$aaaaaaaaaaaaaaaaaaaaaa$b',
  scopes: { admin: false, data: {} },
  issuedBy: null,
  notBefore: null,
  expiresAt: null,
  maxUses: null,
  allowedCidrs: null,
  rateLimitRequests: null,
  rateLimitWindowSeconds: null,
};

/** A key without limits as the cache keeps it, with these columns. */
export function cachedKeyOf(columns: Partial<ApiKey> = {}, secretKind: SecretKind = 'current'): CachedKey {
  return new CachedKey(Object.assign(new ApiKey(), DEFAULTS, columns), digestOf('w3s_a'), secretKind);
}
