import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AuthenticatedRequest, RefusedRequest } from '../authentication/decorators/current-principal.decorator.js';
import type { FailedRequest } from '../contract/error.filter.js';
import { Metrics } from './metrics.js';
import { RequestLog } from './request-log.js';
import { Tracing } from './tracing.js';

/** A request that was answered, whichever way it took. */
export interface AnsweredRequest {
  raw: IncomingMessage;
  id: string;
  method: string;
  /** The pattern, not the path. */
  route: string;
  status: number;
  seconds: number;
  /** Who asked, as far as that is known: `session:<owner>`, `key:<id>`, `service:<name>`. */
  principal?: string | undefined;
  /** What was decided of a key. */
  verdict?: string | undefined;
  /** The code of the error that was answered. */
  error?: string | undefined;
}

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
    const fastify = this.adapterHost.httpAdapter?.getInstance<FastifyInstance | undefined>();
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
