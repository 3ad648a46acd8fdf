/** At most `requests` (1 to 1,000,000) in any window of `windowSeconds` (1 to 86,400 * 31). */
export interface RateLimit {
  requests: number;
  windowSeconds: number;
}

/** What bounds the use of a key, beside its scopes; `null` where there is no such bound. */
export interface KeyLimits {
  notBefore: Date | null;
  expiresAt: Date | null;
  /** How often it may be used in all, 1 to 10^12. */
  maxUses: number | null;
  rateLimit: RateLimit | null;
  /** The networks that it may be used from, 1 to 64, as `Network` writes them. */
  allowedCidrs: string[] | null;
}

export const NO_LIMITS: KeyLimits = {
  notBefore: null,
  expiresAt: null,
  maxUses: null,
  rateLimit: null,
  allowedCidrs: null,
};
