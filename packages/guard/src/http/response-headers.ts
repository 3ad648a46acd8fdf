/** On every response: it may contain a secret, and must not be reused for another caller. */
export const COMMON_HEADERS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };

/** On every 401: how to authenticate (RFC 9110, 11.6.1). */
export const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="w3ipfs"' };

export const JSON_TYPE = 'application/json; charset=utf-8';
