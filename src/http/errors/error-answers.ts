import { HttpException, Injectable, Logger } from '@nestjs/common';
import { isDatabaseUnavailable } from '../../database/database-unavailable.js';
import { databaseOutage } from '../../logging/database-outage.js';
import { StandbyError } from '../../database/server-parameters.js';
import { sqlStateOf } from '../../database/sql-state.js';
import { AllowedMethods } from '../allowed-methods.js';
import { ApiError, UnavailableError } from './api-error.js';
import { failure } from '../envelope.js';
import type { ErrorCode } from './error-codes.js';
import { verdictOfError } from './error-verdict.js';
import { describeError } from '../../logging/describe-error.js';

/** Of a request, what its failure is told by. */
interface RequestLine {
  id: string;
  method: string;
  url: string;
}

/** A failure as it is answered. */
interface ErrorAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
  code: ErrorCode;
  /** The verdict that the error stands for, if it does. */
  verdict: string | undefined;
}

/** Gives every failure the contract's envelope, whether it is ours or the framework's, and logs what is ours. */
@Injectable()
export class ErrorAnswers {
  private readonly logger = new Logger(ErrorAnswers.name);

  constructor(private readonly allowedMethods: AllowedMethods) {}

  of(cause: unknown, request: RequestLine): ErrorAnswer {
    const error = this.toApiError(cause, request);
    if (error.code === 'internal') this.logger.error(`${request.id} ${describeError(cause)}`);
    if (error.code === 'unavailable' && error.cause !== undefined)
      databaseOutage.report(this.logger, `${request.id} was answered 503`, error.cause);
    const { code, status, headers } = error;
    return { code, status, headers, verdict: verdictOfError(error), body: JSON.stringify(failure(error, request.id)) };
  }

  private toApiError(cause: unknown, request: RequestLine): ApiError {
    if (cause instanceof ApiError) return cause;
    if (cause instanceof HttpException) return this.frameworkError(cause, request);
    if (isDatabaseUnavailable(cause)) return databaseUnavailable(cause);
    return internalError();
  }

  /** What Fastify and the router refuse by themselves; our own code throws `ApiError` alone. */
  private frameworkError(cause: HttpException, request: RequestLine): ApiError {
    switch (cause.getStatus()) {
      // 403 is how the files of /docs refuse a path that leads out of their folder
      case 403:
      case 404:
        return this.noSuchRoute(request);
      case 413:
        return new ApiError('payload_too_large', 'The body is larger than 64 KiB.');
      case 415:
        return new ApiError('unsupported_media_type', 'Send the body as Content-Type: application/json.');
      case 400:
      case 414:
        // Fastify wants a body with QUERY even where the route does not take it
        if (request.method === 'QUERY') return this.noSuchRoute(request);
        return new ApiError('validation_failed', 'The request is not one that this service can read.');
      default:
        return internalError();
    }
  }

  private noSuchRoute({ method, url }: RequestLine): ApiError {
    const path = url.split('?', 1)[0] ?? '';
    const allowed = this.allowedMethods.of(path);
    if (allowed.length === 0 || allowed.includes(method))
      return new ApiError('route_not_found', `There is no ${method} ${path}.`);
    const message = `${path} does not take ${method}; it takes ${allowed.join(', ')}.`;
    return new ApiError('method_not_allowed', message, { headers: { Allow: allowed.join(', ') } });
  }
}

/** SQLSTATE lock_not_available, serialization_failure and deadlock_detected: others are at it. */
const CONTENDED = new Set<unknown>(['55P03', '40001', '40P01']);
/** SQLSTATE read_only_sql_transaction. */
const READ_ONLY = '25006';

function databaseUnavailable(cause: unknown): UnavailableError {
  const state = sqlStateOf(cause);
  if (CONTENDED.has(state)) {
    const message = 'Others have locked what this needs. Try again in a moment.';
    return new UnavailableError(message, { cause, retryAfterSeconds: 1 });
  }
  if (state === READ_ONLY || cause instanceof StandbyError) {
    return new UnavailableError('The database takes no changes now: it is read-only. Try again later.', { cause });
  }
  return new UnavailableError('The database is not reachable. Try again in a moment.', { cause });
}

function internalError(): ApiError {
  return new ApiError('internal', 'Something went wrong on our side; the request_id helps us to find it.');
}
