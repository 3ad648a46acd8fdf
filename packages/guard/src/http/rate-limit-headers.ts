/** The state of one limit after a decision, under the name that clients see. */
export interface NamedRate {
  /** Printable ASCII. */
  name: string;
  limit: number;
  /** Absent where it is not known: the policy then has no window, which the draft allows. */
  windowSeconds?: number;
  remaining: number;
  /** Until the whole limit is available again. */
  resetSeconds: number;
  /** 0 unless this limit denied the request. */
  retryAfterSeconds: number;
}

/**
 * The headers that report a client's limits: `RateLimit-Policy` and `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers-11, lists of RFC 9651), and `Retry-After` (RFC 9110, 10.2.3) if one of them
 * denied the request. As the draft requires, `t` of that limit agrees with `Retry-After`.
 */
export function rateLimitHeaders(rates: readonly NamedRate[]): Record<string, string> {
  if (rates.length === 0) return {};
  const retryAfter = Math.max(...rates.map((rate) => rate.retryAfterSeconds));
  return {
    'RateLimit-Policy': rates
      .map(
        ({ name, limit, windowSeconds }) =>
          `${quote(name)};q=${limit}${windowSeconds === undefined ? '' : `;w=${windowSeconds}`}`,
      )
      .join(', '),
    RateLimit: rates.map((rate) => `${quote(rate.name)};r=${rate.remaining};t=${secondsToWait(rate)}`).join(', '),
    ...(retryAfter > 0 && { 'Retry-After': String(retryAfter) }),
  };
}

function secondsToWait({ resetSeconds, retryAfterSeconds }: NamedRate): number {
  return retryAfterSeconds > 0 ? retryAfterSeconds : resetSeconds;
}

/** A String of RFC 9651, 3.3.3. */
function quote(name: string): string {
  if (!/^[\x20-\x7e]*$/.test(name)) throw new RangeError('The name of a limit must be printable ASCII.');
  return `"${name.replaceAll(/["\\]/g, '\\$&')}"`;
}
