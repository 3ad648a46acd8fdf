import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { AuditSource } from '../../principals/audit-source.js';
import { inBackground } from '../../background/background.js';
import { Descendants } from './descendants.js';
import { KeyChanges } from '../invalidation/key-invalidations.js';
import { lockOwner } from '../../owners/owner-lock.js';
import { RevocationWriter } from '../revocation-writer.js';

/** For how long the one who deletes a key waits for the rows of its descendants. */
const ANSWER_WITHIN_MS = 2_000;
const MAX_PAUSE_MS = 250;
/** A cascade that nobody has worked on for so long was left by a process that has ended. */
const ABANDONED_AFTER = '5 seconds';

const BEGIN = `
  INSERT INTO cascades (root_id, owner_id, actor, ip, request_id, started_at, worked_at)
  SELECT $1::uuid, $2::text, $3::text, $4::text, $5::text, now(), now()
  WHERE EXISTS (SELECT FROM api_keys WHERE issued_by = $1::uuid AND owner_id = $2::text)
  RETURNING root_id`;

/** By one process alone: whoever comes second finds it worked on a moment ago. */
const TAKE = `
  UPDATE cascades SET worked_at = clock_timestamp()
  WHERE root_id IN (
    SELECT root_id FROM cascades WHERE worked_at < clock_timestamp() - interval '${ABANDONED_AFTER}'
    ORDER BY root_id FOR UPDATE SKIP LOCKED
  )
  RETURNING root_id, owner_id, actor, ip, request_id`;

export interface CascadeProgress {
  /** How many keys were revoked so far, the root included. */
  revoked: number;
  isComplete: boolean;
}

interface CascadeOrder {
  rootId: string;
  ownerId: string;
  /** Of the deletion of the root. */
  origin: AuditSource;
}

type CascadeRow = { root_id: string; owner_id: string; actor: string; ip: string | null; request_id: string | null };

/**
 * Revokes what descends from a revoked key, in batches: each is a transaction of its own, and between two of them the
 * owner's other changes have their turn. What has begun is in the database, and is resumed by whichever process runs.
 */
@Injectable()
export class Cascades implements OnApplicationShutdown {
  /** By their roots. */
  private readonly running = new Map<string, Promise<void>>();
  private isStopping = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly keyChanges: KeyChanges,
    private readonly writer: RevocationWriter,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    await Promise.allSettled(this.running.values());
  }

  /**
   * Begins a cascade, in the transaction that revokes its root: once that is committed, all descendants count as
   * revoked.
   *
   * @returns whether there is anything to do
   */
  async begin(tx: EntityManager, { rootId, ownerId, origin: { actor, ip, requestId } }: CascadeOrder) {
    const rows = (await tx.query(BEGIN, [rootId, ownerId, actor, ip, requestId])) as unknown[];
    return rows.length > 0;
  }

  /** Works on a cascade, and tells how far it is once it is complete, or when its caller has waited long enough. */
  async run(order: CascadeOrder): Promise<CascadeProgress> {
    const progress = { revoked: 1, isComplete: false };
    const work = this.start(order, progress);
    const waiting = new AbortController();
    const longEnough = sleep(ANSWER_WITHIN_MS, undefined, { signal: waiting.signal });
    // That it failed is logged, and it is resumed: the root is revoked whatever becomes of the rest
    await Promise.race([work, longEnough]).catch(() => undefined);
    waiting.abort();
    await longEnough.catch(() => undefined);
    return { ...progress };
  }

  /** Goes on with what a process has left that has ended. */
  async resume(): Promise<void> {
    const [rows] = (await this.dataSource.query(TAKE)) as [CascadeRow[]];
    for (const { root_id: rootId, owner_id: ownerId, actor, ip, request_id: requestId } of rows) {
      // Slow, but not abandoned
      if (this.running.has(rootId)) continue;
      const order = { rootId, ownerId, origin: { actor, ip, requestId } };
      this.start(order, { revoked: 0, isComplete: false }).catch(() => undefined);
    }
  }

  private start(order: CascadeOrder, progress: CascadeProgress): Promise<void> {
    const work = this.work(order, progress);
    inBackground(`The cascade of key ${order.rootId}, which is going to be resumed,`, work);
    this.running.set(order.rootId, work);
    const forget = () => this.running.delete(order.rootId);
    work.then(forget, forget);
    return work;
  }

  private async work(order: CascadeOrder, progress: CascadeProgress): Promise<void> {
    const descendants = new Descendants(this.dataSource, order.ownerId, order.rootId);
    while (!this.isStopping) {
      const began = performance.now();
      const loop = performance.eventLoopUtilization();
      const ids = await descendants.next();
      const isLast = descendants.isDone;
      progress.revoked += await this.revokeBatch(order, ids, isLast);
      progress.isComplete = isLast;
      if (isLast) return;
      // The busier this process is, the longer others have the database and the process for themselves
      const { utilization } = performance.eventLoopUtilization(loop);
      await sleep(Math.min(utilization * (performance.now() - began), MAX_PAUSE_MS));
    }
  }

  private revokeBatch({ rootId, ownerId, origin }: CascadeOrder, ids: string[], isLast: boolean): Promise<number> {
    return this.keyChanges.transaction(ownerId, async (tx) => {
      await lockOwner(tx, ownerId);
      const changed = await this.writer.write(tx, { ownerId, ids, reason: 'cascade', origin });
      if (isLast) await tx.query('DELETE FROM cascades WHERE root_id = $1', [rootId]);
      else await this.noteProgress(tx, rootId, changed.length);
      // That they are revoked was announced when the cascade began
      return { result: changed.length, changed, isQuiet: true };
    });
  }

  private async noteProgress(tx: EntityManager, rootId: string, revoked: number): Promise<void> {
    const note = 'UPDATE cascades SET revoked = revoked + $2, worked_at = clock_timestamp() WHERE root_id = $1';
    await tx.query(note, [rootId, revoked]);
  }
}
