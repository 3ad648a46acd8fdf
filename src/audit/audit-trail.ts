import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Clock } from '../config/clock.js';
import { appendEvents, type AuditOccurrence, type AuditRecord } from './append.js';
import { AuditEvent } from './audit-event.entity.js';
import type { Origin } from './origin.js';

/** Which of the owner's events are wanted, newest first. */
export interface EventSearch {
  apiKeyId?: string | undefined;
  action?: string | undefined;
  actor?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  /** Only events before this one. */
  before?: string | undefined;
  limit: number;
}

const LOCKED_WITHIN_MS = 250;

/** Append-only, one chain for each owner. */
@Injectable()
export class AuditTrail {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  /**
   * Holds an owner's keys and trail to the end of the transaction. Whoever changes keys does so before holding any
   * of them: in another order, two would wait for each other for ever.
   */
  async hold(tx: EntityManager, ownerId: string): Promise<void> {
    await tx.query('SELECT FROM owners WHERE owner_id = $1 FOR UPDATE', [ownerId]);
  }

  /** Appends events in the transaction of what they tell of. */
  async record(tx: EntityManager, ownerId: string, origin: Origin, records: readonly AuditRecord[]): Promise<void> {
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

  async search(
    ownerId: string,
    { apiKeyId, action, actor, from, to, before, limit }: EventSearch,
  ): Promise<AuditEvent[]> {
    const query = this.dataSource.getRepository(AuditEvent).createQueryBuilder('event').where({ ownerId });
    if (apiKeyId) query.andWhere('event.api_key_id = :apiKeyId', { apiKeyId });
    if (action) query.andWhere('event.action = :action', { action });
    // It may be the id of a key, in any case; those that are recorded are lower case
    if (actor) query.andWhere('event.actor = :actor', { actor: actor.toLowerCase() });
    if (from) query.andWhere('event.at >= :from', { from });
    if (to) query.andWhere('event.at < :to', { to });
    if (before) query.andWhere('event.seq < :before', { before });
    return query.orderBy('event.seq', 'DESC').limit(limit).getMany();
  }
}
