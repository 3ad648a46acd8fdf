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
import { DenialCounters } from './denial-counters.js';
import { storableId } from './storable.js';

/** The error codes that are recorded. Malformed and too frequent requests are not worth an event each. */
const AUDITED_CODES = new Set<ErrorCode>([
  // Only of a valid pair whose key is revoked, disabled or expired: otherwise the owner is unknown
  'unauthenticated',
  'insufficient_scope',
  'ip_not_allowed',
  'usage_exceeded',
  'exceeds_issuer',
  'key_not_found',
  'precondition_failed',
  'idempotency_key_reused',
]);

/** Time limit for writing the remaining events at shutdown. */
const MAX_FINAL_WRITE_MS = 2_000;

/**
 * Records denied calls of known principals after they are answered; repetitions as a number. Denied calls cost the caller
 * nothing, so writing them takes one connection at most, owner by owner. Failed writes stay in memory and are retried
 * every second.
 */
@Injectable()
export class DeniedCallAudit implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(DeniedCallAudit.name);
  private readonly counters = new DenialCounters();
  private readonly writer = new WriteBehind(() => this.write());
  private deadline: number | undefined;

  constructor(
    private readonly auditTrail: AuditTrail,
    private readonly clock: Clock,
    events: RequestEvents,
  ) {
    events.subscribe(({ request }) => request && this.record(request));
  }

  onModuleInit(): void {
    this.writer.start();
  }

  /** Writes the remaining events, even if they are not due yet. */
  async onApplicationShutdown(): Promise<void> {
    this.deadline = performance.now() + MAX_FINAL_WRITE_MS;
    await this.writer.stop();
  }

  /** The number of denied calls that are not in the trails yet. */
  get unwritten(): number {
    return this.counters.unwritten;
  }

  private record({ user, denied, source, context, method, routeOptions, params }: CallerRequest): void {
    const principal = user ?? denied;
    const { error } = context;
    if (!principal || !source || !error || !AUDITED_CODES.has(error)) return;
    const requestedId = (params as { id?: string } | undefined)?.id;
    const call = {
      ownerId: principal.ownerId,
      source,
      code: error,
      call: `${method} ${routeOptions.url}`,
      apiKeyId: requestedId === undefined ? null : storableId(requestedId.toLowerCase()),
    };
    const isFirst = this.counters.add(principal.actorId, call, this.clock.steady(), new Date(this.clock.now()));
    if (isFirst) inBackground('Recording a refused call', this.writer.flush());
  }

  private async write(): Promise<void> {
    const now = this.deadline === undefined ? this.clock.steady() : Infinity;
    for (const due of this.counters.due(now, new Date(this.clock.now()))) {
      if (this.deadline !== undefined && performance.now() > this.deadline)
        return this.warn('too many were left at shutdown');
      try {
        await this.auditTrail.recordSeparately(due.ownerId, due.events);
        due.markWritten();
      } catch (error) {
        // The owner's keys are being changed: retry later
        if (sqlStateOf(error) === LOCK_NOT_AVAILABLE) continue;
        databaseOutage.report(this.logger, 'Refused calls could not be recorded', error);
        if (isDatabaseUnavailable(error)) return;
        due.markWritten();
      }
    }
    if (this.counters.dropped > 0) this.warn(`${this.counters.dropped} arrived while too many were waiting`);
    this.counters.dropped = 0;
  }

  private warn(reason: string): void {
    this.logger.warn(`Refused calls could not be recorded (${reason}).`);
  }
}
