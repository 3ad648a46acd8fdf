import { HttpException, Injectable, Logger } from '@nestjs/common';
import { isDatabaseUnavailable } from '../../database/database-unavailable.js';
import { databaseOutage } from '../../logging/database-outage.js';
import { StandbyError } from '../../database/server-parameters.js';
import { sqlStateOf } from '../../database/sql-state.js';
import { AllowedMethods } from '../allowed-methods.js';
import { ApiError, InternalError, UnavailableError } from './api-error.js';
import { type ErrorResponse, errorResponse } from './error-response.js';
import { describeError } from '../../logging/describe-error.js';

/** The parts of a request that its error response needs. */
interface FailedRequest {
  id: string;
  method: string;
  url: string;
}

/** Turns every error, our own or the framework's, into the envelope of the HTTP contract, and logs defects and outages. */
@Injectable()
export class ErrorResponses {
  private readonly logger = new Logger(ErrorResponses.name);

  constructor(private readonly allowedMethods: AllowedMethods) {}

  of(cause: unknown, request: FailedRequest): ErrorResponse {
    const error = this.toApiError(cause, request);
    if (error.code === 'internal') this.logger.error(`${request.id} ${describeError(cause)}`);
    if (error.code === 'unavailable' && error.cause !== undefined)
      databaseOutage.report(this.logger, `${request.id} was answered 503`, error.cause);
    return errorResponse(error, request.id);
  }

  private toApiError(cause: unknown, request: FailedRequest): ApiError {
    if (cause instanceof ApiError) return cause;
    if (cause instanceof HttpException) return this.frameworkError(cause, request);
    if (isDatabaseUnavailable(cause)) return databaseUnavailable(cause);
    return new InternalError();
  }

  /** Errors of Fastify and its router; our own code throws only `ApiError`. */
  private frameworkError(cause: HttpException, request: FailedRequest): ApiError {
    switch (cause.getStatus()) {
      // The static files of /docs reject paths out of their folder with 403
      case 403:
      case 404:
        return this.routeError(request);
      case 413:
        return new ApiError('payload_too_large', 'The body is too large.');
      case 415:
        return new ApiError('unsupported_media_type', 'Send the body as Content-Type: application/json.');
      case 400:
      case 414:
        // Fastify requires a body of QUERY even if no route has the method
        if (request.method === 'QUERY') return this.routeError(request);
        return new ApiError('validation_failed', 'The request cannot be read: its URL, headers or body are not valid.');
      default:
        return new InternalError();
    }
  }

  private routeError({ method, url }: FailedRequest): ApiError {
    const path = url.split('?', 1)[0] ?? '';
    const allowed = this.allowedMethods.of(path);
    if (allowed.length === 0 || allowed.includes(method))
      return new ApiError('route_not_found', `There is no ${method} ${path}.`);
    const message = `${path} does not allow ${method}; use ${allowed.join(', ')}.`;
    return new ApiError('method_not_allowed', message, { headers: { Allow: allowed.join(', ') } });
  }
}

/** SQLSTATE lock_not_available, serialization_failure and deadlock_detected: others use the same rows. */
const CONTENDED = new Set<unknown>(['55P03', '40001', '40P01']);
/** SQLSTATE read_only_sql_transaction. */
const READ_ONLY = '25006';

function databaseUnavailable(cause: unknown): UnavailableError {
  const state = sqlStateOf(cause);
  if (CONTENDED.has(state)) {
    const message = 'Another request has locked the same records. Try again in a moment.';
    return new UnavailableError(message, { cause, retryAfterSeconds: 1 });
  }
  if (state === READ_ONLY || cause instanceof StandbyError) {
    return new UnavailableError('The database is read-only at present. Try again later.', { cause });
  }
  return new UnavailableError('The database is not reachable. Try again in a moment.', { cause });
}
