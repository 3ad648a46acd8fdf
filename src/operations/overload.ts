import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { Admission } from '../contract/admission.js';
import { fastifyOf } from '../contract/fastify.js';

/** Ten for each connection to the database: what comes beyond would wait longer than it takes. */
const MOST_MANAGEMENT = 100;
/** Of those that are not answered at once from memory. */
const MOST_VERIFICATIONS = 10_000;

/**
 * How many requests may be under way; beyond, they are answered 503 at once. Management gives way long before
 * verification, which every request of the platform waits for. Health and metrics are always let in: an overloaded
 * process has to be able to say so.
 */
@Injectable()
export class Overload implements OnModuleInit {
  readonly management = new Admission(MOST_MANAGEMENT, 'Too many requests are under way.');
  /** Whoever takes the direct lane asks it. */
  readonly verification = new Admission(MOST_VERIFICATIONS, 'Too many verifications are under way.');

  private readonly inside = new WeakMap<FastifyRequest, Admission>();

  constructor(private readonly adapterHost: HttpAdapterHost) {}

  onModuleInit(): void {
    const fastify = fastifyOf(this.adapterHost);
    // From when the body is there, since whoever sends it slowly must not keep others out, until the work is done: not
    // until the answer has gone, for which a slow reader would decide, nor until its connection ends, after which the
    // work goes on
    fastify?.addHook('preValidation', (request, _reply, done) => done(this.refusalOf(request)));
    fastify?.addHook('onSend', (request, _reply, _payload, done) => {
      this.inside.get(request)?.leave();
      this.inside.delete(request);
      done();
    });
  }

  private refusalOf(request: FastifyRequest): Error | undefined {
    const { url, config } = request.routeOptions;
    if (!url?.startsWith('/api/')) return undefined;
    // What belongs into the direct lane and is out of the ordinary comes this way too
    const admission = 'direct' in config ? this.verification : this.management;
    try {
      admission.enter();
      this.inside.set(request, admission);
      return undefined;
    } catch (overloaded) {
      return overloaded as Error;
    }
  }
}
