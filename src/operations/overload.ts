import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { Admission } from '../contract/admission.js';

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

  constructor(private readonly adapterHost: HttpAdapterHost) {}

  onModuleInit(): void {
    const fastify = this.adapterHost.httpAdapter?.getInstance<FastifyInstance | undefined>();
    // Once the body is there: whoever sends it slowly must not keep others out
    fastify?.addHook('preValidation', (request, reply, done) => {
      if (!request.routeOptions.url?.startsWith('/api/')) return done();
      try {
        this.management.enter();
        reply.raw.once('close', () => this.management.leave());
        done();
      } catch (overloaded) {
        done(overloaded as Error);
      }
    });
  }
}
