import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { validate as isUuid } from 'uuid';
import type { AuthenticatedRequest } from '../authentication/decorators/current-principal.decorator.js';
import type { FailedRequest } from '../contract/error.filter.js';
import type { ErrorCode } from '../contract/error-codes.js';
import { AuditTrail } from './audit-trail.js';

/**
 * The refusals that say something about whoever called. What is malformed was never a call, and what comes
 * too often is not worth a row for each: the management rate bounds how many there are of these.
 */
const TELLING = new Set<ErrorCode>([
  'insufficient_scope',
  'ip_not_allowed',
  'usage_exceeded',
  'exceeds_issuer',
  'key_not_found',
  'precondition_failed',
  'idempotency_key_reused',
]);

type Refused = FastifyRequest & Partial<AuthenticatedRequest> & FailedRequest;

/** Records the calls of known principals that were refused, once they are answered. */
@Injectable()
export class RefusedCalls implements OnModuleInit {
  private readonly logger = new Logger(RefusedCalls.name);

  constructor(
    private readonly auditTrail: AuditTrail,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  onModuleInit(): void {
    const fastify = this.adapterHost.httpAdapter?.getInstance<FastifyInstance | undefined>();
    fastify?.addHook('onResponse', async (request) => this.record(request));
  }

  private async record({ user, origin, errorCode, id, method, routeOptions, params }: Refused): Promise<void> {
    if (!user || !origin || !errorCode || !TELLING.has(errorCode)) return;
    const asked = (params as { id?: string }).id;
    const event = {
      action: 'call.refused',
      apiKeyId: asked !== undefined && isUuid(asked) ? asked : null,
      changes: { call: `${method} ${routeOptions.url}` },
      refusal: errorCode,
    };
    await this.auditTrail.recordAlone(user.ownerId, origin, event).catch((error: Error) => {
      this.logger.warn(`${id} A refused call could not be recorded (${error.message}).`);
    });
  }
}
