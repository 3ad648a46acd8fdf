import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { validate as isUuid } from 'uuid';
import type { AuthenticatedRequest, RefusedRequest } from '../authentication/decorators/current-principal.decorator.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { Admission } from '../contract/admission.js';
import { fastifyOf } from '../contract/fastify.js';
import type { FailedRequest } from '../contract/error.filter.js';
import type { ErrorCode } from '../contract/error-codes.js';
import { inOneLine } from '../contract/error-text.js';
import { RateLimiter } from '../limits/rate-limiter.js';
import { AuditTrail } from './audit-trail.js';

/**
 * The refusals that say something about whoever called. What is malformed was never a call, and what comes
 * too often is not worth a row for each.
 */
const TELLING = new Set<ErrorCode>([
  // Of a key whose pair is right, but which is revoked, disabled or expired: of another, nobody knows whose it is
  'unauthenticated',
  'insufficient_scope',
  'ip_not_allowed',
  'usage_exceeded',
  'exceeds_issuer',
  'key_not_found',
  'precondition_failed',
  'idempotency_key_reused',
]);

const WINDOW_SECONDS = 60;
/** How many may wait to be written, which happens once their callers are answered; further ones are not recorded. */
const MOST_WAITING = 1_000;

type Refused = FastifyRequest & Partial<AuthenticatedRequest & RefusedRequest> & FailedRequest;

/**
 * Records the calls of known principals that were refused, once they are answered: of each no more than it may make
 * calls, since refusals are free and a row is kept for good.
 */
@Injectable()
export class RefusedCalls implements OnModuleInit {
  private readonly logger = new Logger(RefusedCalls.name);
  private readonly waiting = new Admission(MOST_WAITING, 'Too many refused calls wait to be recorded.');

  constructor(
    private readonly auditTrail: AuditTrail,
    private readonly rateLimiter: RateLimiter,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  onModuleInit(): void {
    const fastify = fastifyOf(this.adapterHost);
    fastify?.addHook('onResponse', (request, _reply, done) => {
      // Nobody waits for it
      void this.record(request);
      done();
    });
  }

  private async record(request: Refused): Promise<void> {
    const { user, refused, origin, errorCode, id, method, routeOptions, params } = request;
    const principal = user ?? refused;
    if (!principal || !origin || !errorCode || !TELLING.has(errorCode)) return;
    const limit = { requests: this.environment.managementRateLimit, windowSeconds: WINDOW_SECONDS };
    if (!(await this.rateLimiter.take(`refused:${principal.reference}`, limit, 1)).granted) return;
    const asked = (params as { id?: string }).id;
    const event = {
      action: 'call.refused',
      apiKeyId: asked !== undefined && isUuid(asked) ? asked : null,
      changes: { call: `${method} ${routeOptions.url}` },
      refusal: errorCode,
    };
    await this.write(principal.ownerId, origin, event).catch((error: Error) => {
      this.logger.warn(`${id} A refused call could not be recorded (${inOneLine(error)}).`);
    });
  }

  private async write(...refused: Parameters<AuditTrail['recordAlone']>): Promise<void> {
    this.waiting.enter();
    await this.auditTrail.recordAlone(...refused).finally(() => this.waiting.leave());
  }
}
