import type { ApiKey } from '../api-keys/api-key.entity.js';
import { allows, type Scope } from '../api-keys/scopes.js';

/** Why a credential is refused, in the order in which it is decided. */
export const REFUSALS = ['INVALID_CREDENTIALS', 'REVOKED', 'INSUFFICIENT_SCOPE'] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Whether a credential may do something, now. A refusal is a value, never an exception. */
export type Verdict = { valid: true; code: 'VALID'; apiKey: ApiKey } | { valid: false; code: Refusal };

/** Decides about a key whose secret has passed: the checks, in the documented order. */
export function decide(apiKey: ApiKey, needed: readonly Scope[]): Verdict {
  if (apiKey.status === 'revoked') return refused('REVOKED');
  if (!needed.every((scope) => allows(apiKey.scopes, scope))) return refused('INSUFFICIENT_SCOPE');
  return { valid: true, code: 'VALID', apiKey };
}

export function refused(code: Refusal): Verdict {
  return { valid: false, code };
}
