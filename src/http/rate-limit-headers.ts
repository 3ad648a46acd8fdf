/** How one limit stands after a decision, under the name that the client is to know it by. */
export interface NamedRate {
  /** Printable ASCII. */
  name: string;
  limit: number;
  windowSeconds: number;
  remaining: number;
  /** Until all of the limit is available again. */
  resetSeconds: number;
  /** 0 unless the limit has refused. */
  retryAfterSeconds: number;
}

/**
 * The fields that tell a client how it stands to its limits: `RateLimit-Policy` and `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers-11, lists of RFC 9651), and `Retry-After` (RFC 9110, 10.2.3) where one of
 * them has refused. A limit that has refused tells when to come back in `t` too, as the draft wants of the two.
 */
export function rateLimitHeaders(rates: readonly NamedRate[]): Record<string, string> {
  if (rates.length === 0) return {};
  const retryAfter = Math.max(...rates.map((rate) => rate.retryAfterSeconds));
  return {
    'RateLimit-Policy': rates
      .map(({ name, limit, windowSeconds }) => `${quote(name)};q=${limit};w=${windowSeconds}`)
      .join(', '),
    RateLimit: rates.map((rate) => `${quote(rate.name)};r=${rate.remaining};t=${untilOf(rate)}`).join(', '),
    ...(retryAfter > 0 && { 'Retry-After': String(retryAfter) }),
  };
}

function untilOf({ resetSeconds, retryAfterSeconds }: NamedRate): number {
  return retryAfterSeconds > 0 ? retryAfterSeconds : resetSeconds;
}

/** A String of RFC 9651, 3.3.3. */
function quote(name: string): string {
  if (!/^[\x20-\x7e]*$/.test(name)) throw new RangeError('The name of a limit must be printable ASCII.');
  return `"${name.replaceAll(/["\\]/g, '\\$&')}"`;
}
