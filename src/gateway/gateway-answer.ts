import { SCOPES } from '../principals/scopes.js';
import { ApiError } from '../http/errors/api-error.js';
import { verdictOfError } from '../http/errors/error-verdict.js';
import { type QuotaDecision, rateStateOf } from '../limits/quota.js';
import { rateLimitHeaders } from '../http/rate-limit-headers.js';
import type { CachedKey } from '../verification/cache/cached-key.js';
import { InsufficientScopeError } from '../principals/refusal-errors.js';
import type { Principal } from '../principals/principal.js';

/** Where a gateway finds the verdict's code, whatever the status is. */
const CODE_HEADER = 'X-W3IPFS-Code';
/** Where it finds which scopes were missing, blanks between them. */
const SCOPE_HEADER = 'X-W3IPFS-Scope';

/** What a gateway forwards with the request that it may let pass. */
export type GatewayHeaders = Record<string, string>;

/**
 * For a request that needs no credentials. The headers are empty, since some gateways take those that are missing from the
 * client.
 */
export const PUBLIC_ANSWER: GatewayHeaders = {
  'X-W3IPFS-Owner': '',
  'X-W3IPFS-Key-Id': '',
  'X-W3IPFS-Scopes': '',
  [CODE_HEADER]: '',
};

/** For a session, which has no key, and every scope. */
export function sessionAnswer({ ownerId }: Principal): GatewayHeaders {
  return {
    'X-W3IPFS-Owner': headerValue(ownerId),
    'X-W3IPFS-Key-Id': '',
    'X-W3IPFS-Scopes': SCOPES.join(' '),
    [CODE_HEADER]: 'VALID',
  };
}

/** For an API key, with the state of its rate limit. */
export function keyAnswer(key: CachedKey, { rate, ...rest }: QuotaDecision): GatewayHeaders {
  const headers = key.memoize(headersOf);
  return rate ? { ...headers, ...rateLimitHeaders(rateStateOf({ rate, ...rest })) } : headers;
}

function headersOf({ id, ownerId, granted }: CachedKey): GatewayHeaders {
  return {
    'X-W3IPFS-Owner': headerValue(ownerId),
    'X-W3IPFS-Key-Id': id,
    'X-W3IPFS-Scopes': granted.names,
    [CODE_HEADER]: 'VALID',
  };
}

/**
 * A text as a header can carry it: visible ASCII but for `%` stays as it is, all else is percent-encoded in
 * UTF-8, so that `decodeURIComponent` gives the text back, whatever it is.
 */
function headerValue(text: string): string {
  const encoded = text.replace(/[^!-$&-~]+/g, encodeURIComponent);
  // Of a text with wide characters, the encoded one would have two bytes for each of its own too
  return encoded === text ? text : Buffer.from(encoded, 'latin1').toString('latin1');
}

/**
 * An error as a gateway understands it: with the verdict's code in a header and, if it wants that, 403 in
 * place of every status but 401. What is no refusal stays as it is: a service that is away, say.
 */
export function asRefusal(cause: unknown, denyAs403: boolean): unknown {
  const verdict = cause instanceof ApiError ? verdictOfError(cause) : undefined;
  if (!(cause instanceof ApiError) || verdict === undefined) return cause;
  const { code, message, reason, details, status } = cause;
  return new ApiError(code, message, {
    ...(reason !== undefined && { reason }),
    ...(details && { details }),
    headers: {
      ...cause.headers,
      [CODE_HEADER]: verdict,
      ...(cause instanceof InsufficientScopeError && { [SCOPE_HEADER]: cause.missing.join(' ') }),
    },
    status: denyAs403 && status !== 401 ? 403 : status,
  });
}
