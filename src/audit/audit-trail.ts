import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Clock } from '../clock.js';
import { appendEvents, type PendingEvent, type AuditRecord } from './append.js';
import type { AuditSource } from '../principals/audit-source.js';

const LOCK_TIMEOUT_MS = 250;

/** The append-only audit trail; one chain for each owner. */
@Injectable()
export class AuditTrail {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  /** Appends events in the transaction of the change that they describe. */
  async record(
    tx: EntityManager,
    ownerId: string,
    source: AuditSource,
    records: readonly AuditRecord[],
  ): Promise<void> {
    const at = new Date(this.clock.now());
    await appendEvents(
      tx,
      ownerId,
      records.map((record) => ({ ...record, source, at })),
    );
  }

  /**
   * Appends events that belong to no change, in a transaction of its own with a short `lock_timeout`.
   *
   * @throws QueryFailedError with `LOCK_NOT_AVAILABLE` while the owner's keys are being changed
   */
  recordSeparately(ownerId: string, events: readonly PendingEvent[]): Promise<void> {
    return this.dataSource.transaction(async (tx) => {
      await tx.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      await appendEvents(tx, ownerId, events);
    });
  }
}
