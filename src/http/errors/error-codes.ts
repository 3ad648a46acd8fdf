/** Every error code of the HTTP contract, its status, and when it is given. */
export const ERROR_CODES = {
  validation_failed: {
    status: 400,
    when: 'The body, the query or the path is invalid; `details` names every offence',
  },
  malformed_json: { status: 400, when: 'The body is not JSON (RFC 8259) in UTF-8' },
  ambiguous_credentials: { status: 400, when: 'Credentials presented in two ways at once, or one of them twice' },
  unauthenticated: { status: 401, when: 'Nothing valid was presented; `reason` says what is known about it' },
  insufficient_scope: { status: 403, when: 'The key lacks a scope, which is named' },
  ip_not_allowed: { status: 403, when: "The key may not be used from the client's address" },
  usage_exceeded: { status: 403, when: 'The uses of the key are spent for good' },
  key_limit_reached: { status: 403, when: 'The owner has as many live keys as `MAX_KEYS_PER_OWNER` allows' },
  exceeds_issuer: { status: 403, when: 'A key would be given more than the key that issues it has; see `details`' },
  key_not_found: { status: 404, when: 'No such key belongs to the caller' },
  route_not_found: { status: 404, when: 'There is no such route' },
  method_not_allowed: { status: 405, when: 'The route does not take this method; `Allow` lists those it takes' },
  precondition_failed: { status: 412, when: '`If-Match` no longer fits: the key has changed since it was read' },
  idempotency_key_in_use: {
    status: 409,
    when: 'The first request with this `Idempotency-Key` is still being worked on; try again after `Retry-After` seconds',
  },
  idempotency_key_reused: { status: 422, when: 'This `Idempotency-Key` was sent with another request before' },
  payload_too_large: { status: 413, when: 'The body is larger than 64 KiB' },
  unsupported_media_type: { status: 415, when: 'The body is not declared as `application/json`' },
  rate_limited: {
    status: 429,
    when: 'Too many requests, or too many of yours under way at once; `RateLimit-Policy` says which limit, and `Retry-After` when to try again',
  },
  internal: { status: 500, when: 'A defect of the service; its log has the cause under the `request_id`' },
  unavailable: {
    status: 503,
    when: 'A dependency is down, or the service is overloaded, not by you alone; try again after `Retry-After` seconds',
  },
} as const satisfies Record<string, { status: number; when: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;
