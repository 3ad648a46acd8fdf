import { SCOPES } from '../principals/scopes.js';
import { ApiError } from '../http/errors/api-error.js';
import { type NamedRate, rateLimitHeaders } from '@w3ipfs/api-keys-guard/http';
import { InsufficientScopeError } from '../principals/refusal-errors.js';
import type { Principal } from '../principals/principal.js';

/** The verdict's code, whatever the status. */
const CODE_HEADER = 'X-W3IPFS-Code';
/** The missing scopes, separated by blanks. */
const SCOPE_HEADER = 'X-W3IPFS-Scope';

/** The headers that a gateway adds to a permitted request. */
export type GatewayHeaders = Record<string, string>;

/**
 * For a request that needs no credentials. The headers are empty, not missing: some gateways would keep the client's own
 * instead.
 */
export const PUBLIC_ANSWER: GatewayHeaders = {
  'X-W3IPFS-Owner': '',
  'X-W3IPFS-Key-Id': '',
  'X-W3IPFS-Scopes': '',
  [CODE_HEADER]: '',
};

/** For a session, which has every scope and no key. */
export function sessionAnswer({ ownerId }: Principal): GatewayHeaders {
  return {
    'X-W3IPFS-Owner': headerValue(ownerId),
    'X-W3IPFS-Key-Id': '',
    'X-W3IPFS-Scopes': SCOPES.join(' '),
    [CODE_HEADER]: 'VALID',
  };
}

/** What a gateway learns of an API key. */
interface AdmittedKey {
  id: string;
  ownerId: string;
  /** The flat names of its scopes, separated by blanks. */
  granted: { names: string };
}

/** For an API key, whose rate limit `withRates()` adds. */
export function keyAnswer({ id, ownerId, granted }: AdmittedKey): GatewayHeaders {
  return {
    'X-W3IPFS-Owner': headerValue(ownerId),
    'X-W3IPFS-Key-Id': id,
    'X-W3IPFS-Scopes': granted.names,
    [CODE_HEADER]: 'VALID',
  };
}

/** Adds the state of the rate limits that were charged, if any. */
export function withRates(headers: GatewayHeaders, rates: readonly NamedRate[]): GatewayHeaders {
  return rates.length > 0 ? { ...headers, ...rateLimitHeaders(rates) } : headers;
}

/**
 * A text as a header value: visible ASCII except `%` is kept, the rest percent-encoded in UTF-8; `decodeURIComponent`
 * restores the text.
 */
function headerValue(text: string): string {
  const encoded = text.replace(/[^!-$&-~]+/g, encodeURIComponent);
  // A string with wide characters keeps two bytes per character when encoded; a header needs one
  return encoded === text ? text : Buffer.from(encoded, 'latin1').toString('latin1');
}

/**
 * Adds the verdict's code to a refusal's headers, and replaces its status with 403 if the gateway wants that for every
 * refusal but 401. Errors without a verdict, such as an outage, stay as they are.
 */
export function toGatewayRefusal(error: ApiError, denyAs403: boolean): ApiError {
  const { code, message, details, status, verdict } = error;
  if (verdict === undefined) return error;
  return new ApiError(code, message, {
    verdict,
    ...(details && { details }),
    headers: {
      ...error.headers,
      [CODE_HEADER]: verdict,
      ...(error instanceof InsufficientScopeError && { [SCOPE_HEADER]: error.missing.join(' ') }),
    },
    status: denyAs403 && status !== 401 ? 403 : status,
  });
}
