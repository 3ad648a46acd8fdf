import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { RequestEvents } from '../http/request-events.js';
import type { CallerRequest } from '../principals/caller-request.js';
import { Clock } from '../clock.js';
import { inBackground } from '../background/background.js';
import type { ErrorCode } from '../http/errors/error-codes.js';
import { isDatabaseUnavailable } from '../database/database-unavailable.js';
import { databaseOutage } from '../logging/database-outage.js';
import { LOCK_NOT_AVAILABLE, sqlStateOf } from '../database/sql-state.js';
import { WriteBehind } from '../background/write-behind.js';
import { AuditTrail } from './audit-trail.js';
import { RefusalTallies } from './denial-counters.js';
import { storableId } from './storable.js';

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

/** How long the last of them may take to be written when the process ends. */
const END_WITHIN_MS = 2_000;

/**
 * Records the calls of known principals that were refused, once they are answered; what is repeated, as a number.
 * Refusals are free, so their writing takes one connection at the most, one owner after the other, and what cannot be
 * written waits in memory for the next second.
 */
@Injectable()
export class DeniedCallAudit implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(DeniedCallAudit.name);
  private readonly tallies = new RefusalTallies();
  private readonly writer = new WriteBehind(() => this.write());
  private endBy: number | undefined;

  constructor(
    private readonly auditTrail: AuditTrail,
    private readonly clock: Clock,
    events: RequestEvents,
  ) {
    events.subscribe(({ request }) => request && this.count(request));
  }

  onModuleInit(): void {
    this.writer.start();
  }

  /** Writes all that is left, however short ago its last event was. */
  async onApplicationShutdown(): Promise<void> {
    this.endBy = performance.now() + END_WITHIN_MS;
    await this.writer.stop();
  }

  /** How many are not in the trails yet. */
  get unwritten(): number {
    return this.tallies.unwritten;
  }

  private count({ user, denied, source, context, method, routeOptions, params }: CallerRequest): void {
    const principal = user ?? denied;
    const { error } = context;
    if (!principal || !source || !error || !TELLING.has(error)) return;
    const asked = (params as { id?: string } | undefined)?.id;
    const refusal = {
      ownerId: principal.ownerId,
      origin: source,
      code: error,
      call: `${method} ${routeOptions.url}`,
      apiKeyId: asked === undefined ? null : storableId(asked.toLowerCase()),
    };
    const isFirst = this.tallies.add(principal.reference, refusal, this.clock.steady(), new Date(this.clock.now()));
    if (isFirst) inBackground('Recording a refused call', this.writer.flush());
  }

  private async write(): Promise<void> {
    const now = this.endBy === undefined ? this.clock.steady() : Infinity;
    for (const due of this.tallies.due(now, new Date(this.clock.now()))) {
      if (this.endBy !== undefined && performance.now() > this.endBy) return this.warn('too many were left');
      try {
        await this.auditTrail.recordApart(due.ownerId, due.occurrences);
        due.done();
      } catch (error) {
        // The owner's keys are being changed
        if (sqlStateOf(error) === LOCK_NOT_AVAILABLE) continue;
        databaseOutage.report(this.logger, 'Refused calls could not be recorded', error);
        if (isDatabaseUnavailable(error)) return;
        due.done();
      }
    }
    if (this.tallies.dropped > 0) this.warn(`${this.tallies.dropped} came while too many waited`);
    this.tallies.dropped = 0;
  }

  private warn(reason: string): void {
    this.logger.warn(`Refused calls could not be recorded (${reason}).`);
  }
}
