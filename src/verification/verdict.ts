import type { ApiKey } from '../api-keys/api-key.entity.js';
import { allows, type Scope } from '../api-keys/scopes.js';

/** Why a credential is refused, in the order in which it is decided. */
export const REFUSALS = ['INVALID_CREDENTIALS', 'REVOKED', 'INSUFFICIENT_SCOPE'] as const;
export type Refusal = (typeof REFUSALS)[number];

/** What a caller is about to do with a credential. */
export interface Need {
  /** All of them are needed. */
  scopes: readonly Scope[];
  /** The address that the client calls from; `undefined` where it is not known. */
  ip: string | undefined;
  /** How much it weighs against the key's uses and rate: 0 to 1,000,000; 0 asks without charge. */
  cost: number;
}

/** Whether a credential may do something, now. A refusal is a value, never an exception. */
export type Verdict = { valid: true; code: 'VALID'; apiKey: ApiKey } | { valid: false; code: Refusal };

/** Decides about a key whose secret has passed: the checks, in the documented order. */
export function decide(apiKey: ApiKey, { scopes }: Need): Verdict {
  if (apiKey.status === 'revoked') return refused('REVOKED');
  if (!scopes.every((scope) => allows(apiKey.scopes, scope))) return refused('INSUFFICIENT_SCOPE');
  return { valid: true, code: 'VALID', apiKey };
}

export function refused(code: Refusal): Verdict {
  return { valid: false, code };
}
