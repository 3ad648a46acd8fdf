/** At most `requests` (1 to 1,000,000) in any window of `windowSeconds` (1 to 86,400 * 31). */
export interface RateLimit {
  requests: number;
  windowSeconds: number;
}

/** The limits of a key besides its scopes; `null` for no limit. */
export interface KeyLimits {
  notBefore: Date | null;
  expiresAt: Date | null;
  /** The total number of uses, 1 to 10^12. */
  maxUses: number | null;
  rateLimit: RateLimit | null;
  /** The networks from which it may be used, 1 to 64, as `Network` writes them. */
  allowedCidrs: string[] | null;
}

export const NO_LIMITS: KeyLimits = {
  notBefore: null,
  expiresAt: null,
  maxUses: null,
  rateLimit: null,
  allowedCidrs: null,
};
