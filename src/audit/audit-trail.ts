import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Clock } from '../config/clock.js';
import { retryConflicts } from '../database/retry-conflicts.js';
import { chainHash } from './audit-chain.js';
import { AuditEvent } from './audit-event.entity.js';
import type { Origin } from './origin.js';

/** One thing that was done, or refused. */
export interface AuditRecord {
  action: string;
  apiKeyId: string | null;
  /** What was changed, and into what; never a secret. */
  changes?: Record<string, unknown>;
  /** The error's code, where the call was refused. */
  refusal?: string;
}

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

/** Makes the owner's row if there is none, and holds it: events of one owner are chained one after the other. */
const HOLD_HEAD = `
  INSERT INTO owners (owner_id) VALUES ($1)
  ON CONFLICT (owner_id) DO UPDATE SET owner_id = excluded.owner_id
  RETURNING audit_seq, audit_hash`;

const COLUMNS = 'owner_id, seq, at, actor, action, api_key_id, refusal, ip, request_id, changes, hash';

/** Append-only, one chain for each owner. */
@Injectable()
export class AuditTrail {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  /** Appends events in the transaction of what they tell of. */
  async record(tx: EntityManager, ownerId: string, origin: Origin, records: readonly AuditRecord[]): Promise<void> {
    const [head] = (await tx.query(HOLD_HEAD, [ownerId])) as [{ audit_seq: string; audit_hash: Buffer | null }];
    const at = new Date(this.clock.now());
    const events: AuditEvent[] = [];
    for (const { action, apiKeyId, changes = {}, refusal = null } of records) {
      const seq = String(Number(head.audit_seq) + events.length + 1);
      const entry = { ownerId, seq, at, ...origin, action, apiKeyId, refusal, changes: asStored(changes) };
      events.push({ ...entry, hash: chainHash(events.at(-1)?.hash ?? head.audit_hash, entry) });
    }
    await insert(tx, events);
    const last = events.at(-1);
    if (last) {
      await tx.query('UPDATE owners SET audit_seq = $2, audit_hash = $3 WHERE owner_id = $1', [
        ownerId,
        last.seq,
        last.hash,
      ]);
    }
  }

  /** Appends an event about what has changed nothing. */
  recordAlone(ownerId: string, origin: Origin, record: AuditRecord): Promise<void> {
    return retryConflicts(() => this.dataSource.transaction((tx) => this.record(tx, ownerId, origin, [record])));
  }

  async search(
    ownerId: string,
    { apiKeyId, action, actor, from, to, before, limit }: EventSearch,
  ): Promise<AuditEvent[]> {
    const query = this.dataSource.getRepository(AuditEvent).createQueryBuilder('event').where({ ownerId });
    if (apiKeyId) query.andWhere('event.api_key_id = :apiKeyId', { apiKeyId });
    if (action) query.andWhere('event.action = :action', { action });
    if (actor) query.andWhere('event.actor = :actor', { actor });
    if (from) query.andWhere('event.at >= :from', { from });
    if (to) query.andWhere('event.at < :to', { to });
    if (before) query.andWhere('event.seq < :before', { before });
    return query.orderBy('event.seq', 'DESC').limit(limit).getMany();
  }
}

/** As it will be read again: what is hashed must not depend on what JSON makes of it. */
function asStored(changes: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(changes)) as Record<string, unknown>;
}

/** One statement, however many they are. */
async function insert(tx: EntityManager, events: readonly AuditEvent[]): Promise<void> {
  const column = (name: keyof AuditEvent) => events.map((event) => event[name]);
  await tx.query(
    `INSERT INTO audit_events (${COLUMNS})
     SELECT * FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::uuid[],
                          $7::text[], $8::text[], $9::text[], $10::jsonb[], $11::bytea[])`,
    [
      column('ownerId'),
      column('seq'),
      column('at'),
      column('actor'),
      column('action'),
      column('apiKeyId'),
      column('refusal'),
      column('ip'),
      column('requestId'),
      events.map(({ changes }) => JSON.stringify(changes)),
      column('hash'),
    ],
  );
}
