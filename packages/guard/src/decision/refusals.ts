/** The refusals that only other credentials can overcome. */
export const UNAUTHENTICATED_REASONS = [
  'INVALID_CREDENTIALS',
  'REVOKED',
  'DISABLED',
  'NOT_YET_VALID',
  'EXPIRED',
] as const;
export type UnauthenticatedReason = (typeof UNAUTHENTICATED_REASONS)[number];

/** The reasons to refuse a credential, in the order of the checks. */
export const REFUSALS = [
  ...UNAUTHENTICATED_REASONS,
  'IP_NOT_ALLOWED',
  'INSUFFICIENT_SCOPE',
  'RATE_LIMITED',
  'USAGE_EXCEEDED',
] as const;
export type Refusal = (typeof REFUSALS)[number];
