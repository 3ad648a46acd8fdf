/** The refusals about which nothing can be done but to present other credentials. */
export const UNAUTHENTICATED_REASONS = [
  'INVALID_CREDENTIALS',
  'REVOKED',
  'DISABLED',
  'NOT_YET_VALID',
  'EXPIRED',
] as const;
export type UnauthenticatedReason = (typeof UNAUTHENTICATED_REASONS)[number];

/** Why a credential is refused, in the order in which it is decided. */
export const REFUSALS = [
  ...UNAUTHENTICATED_REASONS,
  'IP_NOT_ALLOWED',
  'INSUFFICIENT_SCOPE',
  'RATE_LIMITED',
  'USAGE_EXCEEDED',
] as const;
export type Refusal = (typeof REFUSALS)[number];
