import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Clock } from '../clock.js';
import { appendEvents, type AuditOccurrence, type AuditRecord } from './append.js';
import type { AuditSource } from '../principals/audit-source.js';

const LOCKED_WITHIN_MS = 250;

/** Append-only, one chain for each owner. */
@Injectable()
export class AuditTrail {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  /** Appends events in the transaction of what they tell of. */
  async record(
    tx: EntityManager,
    ownerId: string,
    origin: AuditSource,
    records: readonly AuditRecord[],
  ): Promise<void> {
    const at = new Date(this.clock.now());
    await appendEvents(
      tx,
      ownerId,
      records.map((record) => ({ ...record, origin, at })),
    );
  }

  /**
   * Appends events about what has changed nothing, in a transaction of their own, which gives up rather than wait long
   * for an owner whose keys are being changed.
   */
  recordApart(ownerId: string, occurrences: readonly AuditOccurrence[]): Promise<void> {
    return this.dataSource.transaction(async (tx) => {
      await tx.query(`SET LOCAL lock_timeout = ${LOCKED_WITHIN_MS}`);
      await appendEvents(tx, ownerId, occurrences);
    });
  }
}
