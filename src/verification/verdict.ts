import type { ApiKey } from '../api-keys/api-key.entity.js';

/** Why a credential is refused, in the order in which it is decided. */
export type Refusal = 'INVALID_CREDENTIALS' | 'REVOKED';

/** Whether a credential may be used, now. A refusal is a value, never an exception. */
export type Verdict = { valid: true; code: 'VALID'; apiKey: ApiKey } | { valid: false; code: Refusal };

export function refused(code: Refusal): Verdict {
  return { valid: false, code };
}
