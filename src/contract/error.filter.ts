import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isDatabaseAway } from '../database/database-away.js';
import { AllowedMethods } from './allowed-methods.js';
import { ApiError, UnavailableError } from './api-error.js';
import { failure } from './envelope.js';

/** Gives every failure the contract's envelope, whether it is ours or the framework's. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger(ErrorFilter.name);

  constructor(@Inject(AllowedMethods) private readonly allowedMethods: AllowedMethods) {}

  catch(cause: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const error = this.toApiError(cause, request);
    if (error.status >= 500) this.logger.error(`${request.id} ${error.code}: ${describe(cause)}`);
    void reply.status(error.status).headers(error.headers).send(failure(error, request.id));
  }

  private toApiError(cause: unknown, request: FastifyRequest): ApiError {
    if (cause instanceof ApiError) return cause;
    if (cause instanceof HttpException) return this.frameworkError(cause, request);
    if (isDatabaseAway(cause)) return new UnavailableError('The database is not reachable. Try again in a moment.');
    return new ApiError('internal', 'Something went wrong on our side; the request_id helps us to find it.');
  }

  /** What Fastify and the router refuse by themselves; our own code throws `ApiError` alone. */
  private frameworkError(cause: HttpException, request: FastifyRequest): ApiError {
    switch (cause.getStatus()) {
      case 404:
        return this.noSuchRoute(request);
      case 413:
        return new ApiError('payload_too_large', 'The body is larger than 64 KiB.');
      case 415:
        return new ApiError('unsupported_media_type', 'Send the body as Content-Type: application/json.');
      default:
        return new ApiError('validation_failed', 'The request is not one that this service can read.');
    }
  }

  private noSuchRoute({ method, url }: FastifyRequest): ApiError {
    const path = url.split('?', 1)[0] ?? '';
    const allowed = this.allowedMethods.of(path);
    if (allowed.length === 0) return new ApiError('route_not_found', `There is no ${method} ${path}.`);
    const message = `${path} does not take ${method}; it takes ${allowed.join(', ')}.`;
    return new ApiError('method_not_allowed', message, { headers: { Allow: allowed.join(', ') } });
  }
}

/** A failed query's own text is left out: the driver may quote values in it. */
function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return 'a value that is no Error was thrown';
  return cause.stack ?? cause.message;
}
