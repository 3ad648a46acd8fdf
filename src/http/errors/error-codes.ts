/** Every error code of the HTTP contract, its status, and when it is given. */
export const ERROR_CODES = {
  validation_failed: {
    status: 400,
    when: 'The body, the query or the path is invalid; `details` names every problem',
  },
  malformed_json: { status: 400, when: 'The body is not JSON (RFC 8259) in UTF-8' },
  ambiguous_credentials: { status: 400, when: 'Credentials were presented in two ways at once, or one of them twice' },
  unauthenticated: { status: 401, when: 'No valid credentials were presented; `reason` says what is known about them' },
  insufficient_scope: { status: 403, when: 'The key lacks a scope, which the message names' },
  ip_not_allowed: { status: 403, when: "The client's address is not in the `allowed_cidrs` of the key" },
  usage_exceeded: { status: 403, when: 'The key has used up its `max_uses`' },
  key_limit_reached: { status: 403, when: 'The owner has as many live keys as `MAX_KEYS_PER_OWNER` allows' },
  exceeds_issuer: { status: 403, when: 'The key would get more rights than the key that issues it; see `details`' },
  key_not_found: { status: 404, when: 'No such key belongs to the caller' },
  route_not_found: { status: 404, when: 'The path matches no route' },
  method_not_allowed: { status: 405, when: 'The route does not take this method; `Allow` lists those it takes' },
  precondition_failed: { status: 412, when: '`If-Match` does not match: the key has changed since it was read' },
  idempotency_key_in_use: {
    status: 409,
    when: 'The first request with this `Idempotency-Key` is still in progress; try again after `Retry-After` seconds',
  },
  position_expired: {
    status: 410,
    when: 'The changes since this position are no longer known: forget every grant, and begin without `since`',
  },
  idempotency_key_reused: { status: 422, when: 'This `Idempotency-Key` was sent with another request before' },
  payload_too_large: { status: 413, when: 'The body is larger than 64 KiB, or than the description of the route says' },
  unsupported_media_type: { status: 415, when: 'The body is not declared as `application/json`' },
  rate_limited: {
    status: 429,
    when: 'Too many requests, or too many of yours in flight at once; `RateLimit-Policy` names the limit, and `Retry-After` says when to try again',
  },
  internal: { status: 500, when: 'A defect of the service; its log contains the cause under the `request_id`' },
  unavailable: {
    status: 503,
    when: 'A dependency is down, or the service is overloaded, not only by you; try again after `Retry-After` seconds',
  },
} as const satisfies Record<string, { status: number; when: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;
