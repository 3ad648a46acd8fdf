import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { AuthenticatedRequest, RefusedRequest } from '../authentication/decorators/current-principal.decorator.js';
import type { AnsweredRequest } from '../contract/answered-request.js';
import { fastifyOf } from '../contract/fastify.js';
import type { FailedRequest } from '../contract/error.filter.js';
import { Metrics } from './metrics.js';
import { RequestLog } from './request-log.js';
import { Tracing } from './tracing.js';

type Answered = FastifyRequest & Partial<AuthenticatedRequest & RefusedRequest> & FailedRequest;

/** In place of a status, where the client has gone before it was answered; nginx's number for it. */
const ABORTED = 499;

/** Tells whoever keeps account of them of all requests that were answered. */
@Injectable()
export class AnsweredRequests implements OnModuleInit {
  private readonly began = new WeakMap<FastifyRequest, number>();

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly metrics: Metrics,
    private readonly log: RequestLog,
    @Inject(Tracing) private readonly tracing: Tracing | null,
  ) {}

  onModuleInit(): void {
    const fastify = fastifyOf(this.adapterHost);
    fastify?.addHook('onRequest', (request, _reply, done) => {
      this.began.set(request, performance.now());
      done();
    });
    fastify?.addHook('onResponse', (request, reply, done) => {
      this.tellOrdinary(request, reply.statusCode);
      done();
    });
    fastify?.addHook('onRequestAbort', (request, done) => {
      this.tellOrdinary(request, ABORTED);
      done();
    });
  }

  private tellOrdinary(request: Answered, status: number): void {
    const { raw, id, method, user, refused, verdict, errorCode: error } = request;
    const route = request.routeOptions.url ?? 'none';
    const principal = (user ?? refused)?.reference;
    const seconds = (performance.now() - (this.began.get(request) ?? performance.now())) / 1_000;
    this.tell({ raw, id, method, route, status, seconds, principal, verdict, error });
  }

  tell(request: AnsweredRequest): void {
    this.metrics.observe(request);
    this.log.record(request);
    this.tracing?.finish(request);
  }
}
