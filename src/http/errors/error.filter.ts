import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ErrorAnswers } from './error-answers.js';
import type { ErrorCode } from './error-codes.js';
import { StoredAnswer } from '../stored-answer.js';
import { JSON_TYPE } from '../response-headers.js';

/** A request whose answer is an error; which, is of interest to whoever records what was refused. */
export interface FailedRequest {
  errorCode?: ErrorCode;
  /** The verdict that the error tells of. */
  verdict?: string | undefined;
}

/** Answers whatever a route, a guard, a pipe or the framework has thrown. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly errorAnswers: ErrorAnswers) {}

  catch(cause: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest & FailedRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    // Nobody is left to answer, and nothing of ours has failed; the answer ends the request all the same
    if (request.raw.errored) {
      reply.send();
      return;
    }
    if (cause instanceof StoredAnswer) {
      reply.status(200).headers(cause.headers).send(cause.answer);
      return;
    }
    const { status, headers, body, code, verdict } = this.errorAnswers.of(cause, request);
    Object.assign(request, { errorCode: code, verdict } satisfies FailedRequest);
    reply.status(status).headers(headers).type(JSON_TYPE).send(body);
  }
}
