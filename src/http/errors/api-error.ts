import { ERROR_CODES, type ErrorCode } from './error-codes.js';
import type { Refusal } from '@w3ipfs/api-keys-guard/decision';

/** A problem with the request: its path (`scopes.data.pin_list`), and what is expected there. */
export interface ErrorDetail {
  path: string;
  message: string;
}

/** What an error carries besides its code and message. */
interface ErrorExtras {
  /** The verdict, if the error reports one. */
  verdict?: Refusal;
  details?: ErrorDetail[];
  headers?: Record<string, string>;
  /** Instead of the status of the code, for callers that understand only a few. */
  status?: number;
}

/**
 * An error for the client. Its message says what is wrong and what to do, and contains neither secrets nor internal
 * causes.
 */
export class ApiError extends Error {
  readonly status: number;
  readonly verdict: Refusal | undefined;
  readonly details: ErrorDetail[] | undefined;
  readonly headers: Record<string, string>;

  constructor(
    readonly code: ErrorCode,
    message: string,
    { verdict, details, headers = {}, status = ERROR_CODES[code].status }: ErrorExtras = {},
  ) {
    super(message);
    this.status = status;
    this.verdict = verdict;
    this.details = details;
    this.headers = headers;
  }

  /** For `unauthenticated`: the verdict, which clients read in the body. */
  get reason(): Refusal | undefined {
    return this.code === 'unauthenticated' ? this.verdict : undefined;
  }
}

export class ValidationError extends ApiError {
  constructor(details: ErrorDetail[], message = 'The request is invalid; see `details`.') {
    super('validation_failed', message, { details });
  }
}

/** The request has no body. The details name everything that the body needs. */
export class MissingBodyError extends ValidationError {
  constructor(details: ErrorDetail[]) {
    super(details, 'The request has no body: send JSON, as Content-Type: application/json; see details.');
  }
}

/** The service failed because of a defect, which its log describes. */
export class InternalError extends ApiError {
  constructor() {
    super(
      'internal',
      'The service failed because of a defect. Report it with the request_id, which identifies its log entry.',
    );
  }
}

interface Outage extends Pick<ErrorExtras, 'details' | 'headers'> {
  /** The cause, for the log; not shown to the client. */
  cause?: unknown;
  retryAfterSeconds?: number;
}

export class UnavailableError extends ApiError {
  readonly retryAfterSeconds: number;

  constructor(message: string, { cause, retryAfterSeconds = 2, headers, ...extras }: Outage = {}) {
    super('unavailable', message, { ...extras, headers: { ...headers, 'Retry-After': String(retryAfterSeconds) } });
    this.retryAfterSeconds = retryAfterSeconds;
    this.cause = cause;
  }
}

/** For requests over a limit on concurrency. @param message names the limit: a sentence */
export function tooMany(message: string): UnavailableError {
  return new UnavailableError(`${message} Try again in a moment.`, { retryAfterSeconds: 1 });
}
