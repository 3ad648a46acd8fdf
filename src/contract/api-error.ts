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

/** A body may hold thousands of offences; an answer names no more than this many. */
const MOST_DETAILS = 100;

export class ValidationError extends ApiError {
  constructor(details: ErrorDetail[]) {
    const rest = { path: '', message: `and ${details.length - MOST_DETAILS} further offences` };
    const named = details.length > MOST_DETAILS ? [...details.slice(0, MOST_DETAILS), rest] : details;
    super('validation_failed', 'The request does not fit; see details.', { details: named });
  }
}

interface Outage extends Pick<ErrorExtras, 'details'> {
  /** What is away, for the log; the client is not told. */
  cause?: unknown;
  retryAfterSeconds?: number;
}

export class UnavailableError extends ApiError {
  constructor(message: string, { cause, retryAfterSeconds = 2, ...extras }: Outage = {}) {
    super('unavailable', message, { ...extras, headers: { 'Retry-After': String(retryAfterSeconds) } });
    this.cause = cause;
  }
}
