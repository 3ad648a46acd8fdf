import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { AuthenticatedRequest, RefusedRequest } from '../../principals/decorators/current-principal.decorator.js';
import { ABORTED, type CompletedRequest, NO_ROUTE } from '../../http/completed-request.js';
import { fastifyOf } from '../../http/fastify.js';
import type { DirectAnswer, DirectRequest } from '../../http/direct.decorator.js';
import type { FailedRequest } from '../../http/errors/error.filter.js';
import { Metrics } from './metrics.js';
import { RequestLog } from './request-log.js';
import { Tracing } from './tracing.js';

type Answered = FastifyRequest &
  Partial<AuthenticatedRequest & RefusedRequest> &
  Partial<Pick<DirectRequest, 'caller'>> &
  Pick<DirectAnswer, 'keyId'> &
  FailedRequest;

/** Tells whoever keeps account of them of all requests that were answered. */
@Injectable()
export class RequestObserver implements OnModuleInit {
  /** How many requests have begun and are not answered yet. */
  underWay = 0;
  private readonly began = new WeakMap<FastifyRequest, number>();

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly metrics: Metrics,
    private readonly log: RequestLog,
    @Inject(Tracing) private readonly tracing: Tracing | null,
  ) {}

  onModuleInit(): void {
    const fastify = fastifyOf(this.adapterHost);
    fastify?.addHook('onRequest', (request, reply, done) => {
      this.begin();
      this.began.set(request, performance.now());
      // Fastify's own hook for it is silent once the body is there
      reply.raw.once('close', () => this.completeOnce(request, ABORTED));
      done();
    });
    fastify?.addHook('onResponse', (request, reply, done) => {
      this.completeOnce(request, reply.statusCode);
      done();
    });
  }

  /** Once for each request: whatever comes first of its answer and its connection's end. */
  private completeOnce(request: Answered, status: number): void {
    const began = this.began.get(request);
    if (began === undefined) return;
    this.began.delete(request);
    const { raw, id, method, user, refused, keyId, errorCode: error } = request;
    const route = request.routeOptions.url ?? NO_ROUTE;
    const known = user ?? refused;
    const principal = known?.reference ?? request.caller;
    // Whoever was let in, and whose call failed for what it asks
    const verdict = request.verdict ?? (known && 'VALID');
    const seconds = (performance.now() - began) / 1_000;
    this.completed({ raw, id, method, route, status, seconds, principal, verdict, keyId, error });
  }

  begin(): void {
    this.underWay++;
  }

  completed(request: CompletedRequest): void {
    this.underWay--;
    this.metrics.observe(request);
    this.log.record(request);
    this.tracing?.finish(request);
  }
}
