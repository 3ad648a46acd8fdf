import type { Scope } from '../principals/scopes.js';
import type { QuotaDecision } from '../limits/quota.js';
import type { Refusal } from '../http/errors/refusals.js';
import type { CachedKey } from './cache/cached-key.js';

/** What a caller is about to do with a credential. */
export interface Requirements {
  /** All of them are needed. */
  scopes: readonly Scope[];
  /** The address that the client calls from; `undefined` where it is not known. */
  ip: string | undefined;
  /** How much it weighs against the key's uses and rate: 0 to 1,000,000; 0 asks without charge. */
  cost: number;
}

/** Whether a credential may do something, now. A refusal is a value, never an exception. */
export type Verdict =
  | { valid: true; code: 'VALID'; key: CachedKey; charge: QuotaDecision }
  | { valid: false; code: Refusal; key: CachedKey | undefined; charge: QuotaDecision | undefined };

/** What speaks against a key whose secret has passed, before it is charged: the checks, in the documented order. */
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
