import type { ApiError, ErrorCode, ErrorDetail, UnauthenticatedReason } from './generated/types.gen.js';

/** Thrown for every answer that is not a success. Without an answer, calls reject with the error of `fetch`. */
export class ApiKeysError extends Error {
  override readonly name = 'ApiKeysError';
  /** The HTTP status. */
  readonly status: number;
  /** `unexpected_answer`: it did not come from the API, but from a proxy, or from another server. */
  readonly code: ErrorCode | 'unexpected_answer';
  /** For `unauthenticated`: what is known about the credentials. */
  readonly reason: UnauthenticatedReason | undefined;
  /** Each problem of the request, by its path. Empty for most codes. */
  readonly details: readonly ErrorDetail[];
  /** Names the request in the service's log. */
  readonly requestId: string | undefined;
  /** When to try again, if the service said so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(response: Pick<Response, 'status' | 'headers'>, error: ErrorBody) {
    super(error.message);
    this.status = response.status;
    this.code = error.code;
    this.reason = error.reason;
    this.details = error.details ?? [];
    this.requestId = response.headers.get('X-Request-Id') ?? undefined;
    this.retryAfterSeconds = secondsOf(response.headers.get('Retry-After'));
  }
}

type ErrorBody = Omit<ApiError, 'code'> & Pick<ApiKeysError, 'code'>;

/** Seconds, or a date (RFC 9110, 10.2.3). */
function secondsOf(retryAfter: string | null): number | undefined {
  if (retryAfter === null) return undefined;
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter);
  const milliseconds = Date.parse(retryAfter) - Date.now();
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, Math.ceil(milliseconds / 1000));
}
