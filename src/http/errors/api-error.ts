import { ERROR_CODES, type ErrorCode } from './error-codes.js';

/** One offence: where it is (`scopes.data.pin_list`), and what should be there. */
export interface ErrorDetail {
  path: string;
  message: string;
}

/** What an error carries besides its code and message. */
interface ErrorExtras {
  /** For `unauthenticated`: the verdict's code. */
  reason?: string;
  details?: ErrorDetail[];
  headers?: Record<string, string>;
  /** In place of the code's own, for callers that understand but a few. */
  status?: number;
}

/**
 * An error that the client is told about. Its message says what was wrong and what to do,
 * and never contains a secret or a cause from inside.
 */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string | undefined;
  readonly details: ErrorDetail[] | undefined;
  readonly headers: Record<string, string>;

  constructor(
    readonly code: ErrorCode,
    message: string,
    { reason, details, headers = {}, status = ERROR_CODES[code].status }: ErrorExtras = {},
  ) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.details = details;
    this.headers = headers;
  }
}

export class ValidationError extends ApiError {
  constructor(details: ErrorDetail[], message = 'The request is invalid; see `details`.') {
    super('validation_failed', message, { details });
  }
}

/** The request lacks the body that it needs, all of which is named. */
export class MissingBodyError extends ValidationError {
  constructor(details: ErrorDetail[]) {
    super(details, 'The request has no body: send JSON, as Content-Type: application/json; see details.');
  }
}

interface Outage extends Pick<ErrorExtras, 'details' | 'headers'> {
  /** What is away, for the log; the client is not told. */
  cause?: unknown;
  retryAfterSeconds?: number;
}

export class UnavailableError extends ApiError {
  constructor(message: string, { cause, retryAfterSeconds = 2, headers, ...extras }: Outage = {}) {
    super('unavailable', message, { ...extras, headers: { ...headers, 'Retry-After': String(retryAfterSeconds) } });
    this.cause = cause;
  }
}

/** What is refused because of how much of it is under way. @param message which: a sentence */
export function tooMany(message: string): UnavailableError {
  return new UnavailableError(`${message} Try again in a moment.`, { retryAfterSeconds: 1 });
}
