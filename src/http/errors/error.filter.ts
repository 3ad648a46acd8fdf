import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { JSON_TYPE } from '@w3ipfs/api-keys-guard/http';
import { StoredAnswer } from '../stored-answer.js';
import { ErrorResponses } from './error-responses.js';

/** Sends the response to everything that a guard, an interceptor, a pipe, a controller or the framework throws. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly errorResponses: ErrorResponses) {}

  catch(cause: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    // The client has disconnected: this only ends the request
    if (request.raw.errored) {
      reply.send();
      return;
    }
    if (cause instanceof StoredAnswer) {
      reply.status(200).headers(cause.headers).send(cause.answer);
      return;
    }
    const { status, headers, body, code, verdict } = this.errorResponses.of(cause, request);
    request.context.error = code;
    request.context.verdict = verdict ?? request.context.verdict;
    reply.status(status).headers(headers).type(JSON_TYPE).send(body);
  }
}
