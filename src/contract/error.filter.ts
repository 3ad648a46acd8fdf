import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ErrorAnswers } from './error-answers.js';
import { JSON_TYPE } from './response-headers.js';

/** Answers whatever a route, a guard, a pipe or the framework has thrown. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly errorAnswers: ErrorAnswers) {}

  catch(cause: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    // Nobody is left to answer, and nothing of ours has failed
    if (request.raw.errored) return;
    const { status, headers, body } = this.errorAnswers.of(cause, request);
    void reply.status(status).headers(headers).type(JSON_TYPE).send(body);
  }
}
