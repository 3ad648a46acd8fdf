/** Of every answer: it may hold a secret, and is not good for a second caller. */
export const COMMON_HEADERS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };

/** Of every 401: how to authenticate (RFC 9110, 11.6.1). */
export const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="w3ipfs"' };

export const JSON_TYPE = 'application/json; charset=utf-8';
