import type { Scope } from '../principals/scopes.js';
import type { QuotaDecision } from '../limits/quota.js';
import type { Refusal } from '../http/errors/refusals.js';
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

/**
 * Why a key with a verified secret is refused before it is charged; `null` if it is not. The checks run in the documented
 * order.
 *
 * @param now milliseconds since 1970
 */
export function refusalOf(key: CachedKey, { scopes, ip }: Omit<Requirements, 'cost'>, now: number): Refusal | null {
  const { notBefore, expiresAt } = key;
  if (key.isRevoked) return 'REVOKED';
  if (!key.enabled) return 'DISABLED';
  if (notBefore !== null && now < notBefore) return 'NOT_YET_VALID';
  if (expiresAt !== null && now >= expiresAt) return 'EXPIRED';
  if (key.networks && !(ip !== undefined && key.networks.includes(ip))) return 'IP_NOT_ALLOWED';
  if (!key.granted.allows(scopes)) return 'INSUFFICIENT_SCOPE';
  return null;
}

export function refused(code: Refusal, key?: CachedKey, charge?: QuotaDecision): Verdict {
  return { valid: false, code, key, charge };
}

/** The verdict on a key that passed all checks, once its charge is decided. */
export function toVerdict(key: CachedKey, charge: QuotaDecision): Verdict {
  return charge.refusal ? refused(charge.refusal, key, charge) : { valid: true, code: 'VALID', key, charge };
}
