import type { Refusal } from '../decision/index.js';

/** The message for each refusal; the others name a scope or a time. */
export const REFUSAL_MESSAGES = {
  INVALID_CREDENTIALS: 'These credentials are not valid.',
  REVOKED: 'This API key has been revoked.',
  DISABLED: 'This API key is disabled; its owner can enable it.',
  NOT_YET_VALID: 'These credentials are not valid yet.',
  EXPIRED: 'These credentials have expired.',
  IP_NOT_ALLOWED: 'This API key may not be used from your address; see its limits.allowed_cidrs.',
  USAGE_EXCEEDED: 'The uses of this API key are spent; see its limits.max_uses.',
} as const satisfies Partial<Record<Refusal, string>>;

/** For `INSUFFICIENT_SCOPE`. @param scopes the missing ones */
export function missingScopes(scopes: readonly string[]): string {
  return `This API key lacks the scope ${scopes.join(', ')}.`;
}

/** For `RATE_LIMITED`. */
export function tooManyRequests(retryAfterSeconds: number): string {
  return `Too many requests. Try again in ${retryAfterSeconds} seconds.`;
}
