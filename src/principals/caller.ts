import { OPERATOR, type AuditSource } from './audit-source.js';
import type { KeyLimits, RateLimit } from './key-limits.js';
import type { GivenScopes } from './scopes.js';

/**
 * Of an API key, what its calls go by; its `secretGeneration` is that of the secret that was presented, which may have
 * been rotated away since. It may be from a cache: what is written needs the row itself, under its lock.
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

/** Who asks for a change of an owner's keys. */
export interface Caller {
  ownerId: string;
  /** `null` for a session or an operator, which may do everything. */
  key: Pick<CallingKey, 'id' | 'secretGeneration'> | null;
  source: AuditSource;
}

/** An operator, on behalf of an owner. */
export function operatorFor(ownerId: string): Caller {
  return { ownerId, key: null, source: OPERATOR };
}
