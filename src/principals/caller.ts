import { OPERATOR, type Origin } from './audit-source.js';
import type { ApiKey } from '../api-keys/api-key.entity.js';

/**
 * Of an API key, what its calls go by; its `secretGeneration` is that of the secret that was presented, which may have
 * been rotated away since. It may be from a cache: what is written needs the row itself, under its lock.
 */
export type CallingKey = Pick<
  ApiKey,
  'id' | 'ownerId' | 'name' | 'scopes' | 'limits' | 'maxUses' | 'rateLimit' | 'uses' | 'secretGeneration'
>;

/** Who asks for a change of an owner's keys. */
export interface Caller {
  ownerId: string;
  /** `null` for a session or an operator, which may do everything. */
  key: Pick<CallingKey, 'id' | 'secretGeneration'> | null;
  origin: Origin;
}

/** An operator, on behalf of an owner. */
export function operatorFor(ownerId: string): Caller {
  return { ownerId, key: null, origin: OPERATOR };
}
