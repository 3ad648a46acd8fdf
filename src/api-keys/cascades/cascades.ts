import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { AuditSource } from '../../principals/audit-source.js';
import { inBackground } from '../../background/background.js';
import { Descendants } from './descendants.js';
import { KeyTransactions } from '../invalidation/key-transactions.js';
import { lockOwner } from '../../owners/owner-lock.js';
import { RevocationWriter } from '../revocation/revocation-writer.js';

/** How long the deletion of a key waits for the rows of its descendants before it is answered. */
const ANSWER_WITHIN_MS = 2_000;
const MAX_PAUSE_MS = 250;
/** A cascade without progress for this long was abandoned by a process that died. */
const ABANDONED_AFTER = '5 seconds';

const BEGIN = `
  INSERT INTO cascades (root_id, owner_id, actor, ip, request_id, started_at, worked_at)
  SELECT $1::uuid, $2::text, $3::text, $4::text, $5::text, now(), now()
  WHERE EXISTS (SELECT FROM api_keys WHERE issued_by = $1::uuid AND owner_id = $2::text)
  RETURNING root_id`;

/** Claims abandoned cascades for one process: for any other, they have just been worked on. */
const CLAIM = `
  UPDATE cascades SET worked_at = clock_timestamp()
  WHERE root_id IN (
    SELECT root_id FROM cascades WHERE worked_at < clock_timestamp() - interval '${ABANDONED_AFTER}'
    ORDER BY root_id FOR UPDATE SKIP LOCKED
  )
  RETURNING root_id, owner_id, actor, ip, request_id`;

export interface CascadeProgress {
  /** How many keys are revoked so far, the root included. */
  revoked: number;
  isComplete: boolean;
}

interface CascadeOrder {
  rootId: string;
  ownerId: string;
  /** Who deleted the root. */
  source: AuditSource;
}

type CascadeRow = { root_id: string; owner_id: string; actor: string; ip: string | null; request_id: string | null };

/**
 * Revokes the descendants of a revoked key in batches, each in its own transaction, so that other changes of the owner
 * run in between. Its progress is in the database: another process resumes a cascade that was abandoned.
 */
@Injectable()
export class Cascades implements OnApplicationShutdown {
  /** By their roots. */
  private readonly running = new Map<string, Promise<void>>();
  private isStopping = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: KeyTransactions,
    private readonly writer: RevocationWriter,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    await Promise.allSettled(this.running.values());
  }

  /**
   * Begins a cascade, in the transaction that revokes its root: from its commit on, all descendants are refused.
   *
   * @returns whether the root has descendants
   */
  async begin(tx: EntityManager, { rootId, ownerId, source: { actor, ip, requestId } }: CascadeOrder) {
    const rows = (await tx.query(BEGIN, [rootId, ownerId, actor, ip, requestId])) as unknown[];
    return rows.length > 0;
  }

  /** Runs a cascade. @returns its progress when it is complete, or after `ANSWER_WITHIN_MS` */
  async run(order: CascadeOrder): Promise<CascadeProgress> {
    const progress = { revoked: 1, isComplete: false };
    const work = this.start(order, progress);
    const waiting = new AbortController();
    const timeout = sleep(ANSWER_WITHIN_MS, undefined, { signal: waiting.signal });
    // A failure is logged, and the cascade resumed: the root is revoked in any case
    await Promise.race([work, timeout]).catch(() => undefined);
    waiting.abort();
    await timeout.catch(() => undefined);
    return { ...progress };
  }

  /** Resumes the cascades of processes that died. */
  async resume(): Promise<void> {
    const [rows] = (await this.dataSource.query(CLAIM)) as [CascadeRow[]];
    for (const { root_id: rootId, owner_id: ownerId, actor, ip, request_id: requestId } of rows) {
      // Slow, but still running here
      if (this.running.has(rootId)) continue;
      const order = { rootId, ownerId, source: { actor, ip, requestId } };
      this.start(order, { revoked: 0, isComplete: false }).catch(() => undefined);
    }
  }

  private start(order: CascadeOrder, progress: CascadeProgress): Promise<void> {
    const work = this.work(order, progress);
    inBackground(`The cascade of key ${order.rootId}, which is going to be resumed,`, work);
    this.running.set(order.rootId, work);
    const finish = () => this.running.delete(order.rootId);
    work.then(finish, finish);
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
      // The busier this process is, the longer the pause that it leaves to others
      const { utilization } = performance.eventLoopUtilization(loop);
      await sleep(Math.min(utilization * (performance.now() - began), MAX_PAUSE_MS));
    }
  }

  private revokeBatch({ rootId, ownerId, source }: CascadeOrder, ids: string[], isLast: boolean): Promise<number> {
    return this.transactions.run(ownerId, async (uow) => {
      await lockOwner(uow.tx, ownerId);
      const revoked = await this.writer.write(uow, { ownerId, ids, reason: 'cascade', source });
      if (isLast) await uow.tx.query('DELETE FROM cascades WHERE root_id = $1', [rootId]);
      else await this.noteProgress(uow.tx, rootId, revoked);
      return revoked;
    });
  }

  private async noteProgress(tx: EntityManager, rootId: string, revoked: number): Promise<void> {
    const note = 'UPDATE cascades SET revoked = revoked + $2, worked_at = clock_timestamp() WHERE root_id = $1';
    await tx.query(note, [rootId, revoked]);
  }
}
