import type { Scope } from '../principals/scopes.js';
import type { QuotaDecision } from '../limits/quota.js';
import type { Refusal } from '@w3ipfs/api-keys-guard/decision';
import type { CachedKey } from './cache/cached-key.js';

/** What a credential has to permit. */
export interface Requirements {
  /** All of them are required. */
  scopes: readonly Scope[];
  /** The client's IP address; `undefined` if unknown. */
  ip: string | undefined;
  /** The weight against the key's uses and rate: 0 to 1,000,000; 0 verifies without charging. */
  cost: number;
}

/** Whether a credential permits something now. A refusal is a value, never an exception. */
export type Verdict =
  | { valid: true; code: 'VALID'; key: CachedKey; charge: QuotaDecision }
  | { valid: false; code: Refusal; key: CachedKey | undefined; charge: QuotaDecision | undefined };

export function refused(code: Refusal, key?: CachedKey, charge?: QuotaDecision): Verdict {
  return { valid: false, code, key, charge };
}

/** The verdict on a key that passed all checks, once its charge is decided. */
export function toVerdict(key: CachedKey, charge: QuotaDecision): Verdict {
  return charge.refusal ? refused(charge.refusal, key, charge) : { valid: true, code: 'VALID', key, charge };
}
