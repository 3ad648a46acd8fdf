import { OPERATOR, type AuditSource } from './audit-source.js';
import type { KeyLimits, RateLimit } from './key-limits.js';
import type { GivenScopes } from './scopes.js';

/**
 * The properties of an API key that decide on its calls. `secretGeneration` is that of the presented secret, which may have
 * been rotated since. Possibly from the cache: writes have to check the locked row.
 */
export interface CallingKey {
  id: string;
  ownerId: string;
  name: string;
  scopes: GivenScopes;
  limits: KeyLimits;
  maxUses: number | null;
  rateLimit: RateLimit | null;
  uses: number;
  secretGeneration: number;
}

/** The caller that changes an owner's keys. */
export interface Caller {
  ownerId: string;
  /** `null` for a session or an operator, which have all rights. */
  key: Pick<CallingKey, 'id' | 'secretGeneration'> | null;
  source: AuditSource;
}

/** An operator on behalf of an owner. */
export function operatorFor(ownerId: string): Caller {
  return { ownerId, key: null, source: OPERATOR };
}
