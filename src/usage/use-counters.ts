import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { databaseOutage } from '../logging/database-outage.js';
import { executeAtMostOnce } from './execute-at-most-once.js';
import { WriteBehind } from '../background/write-behind.js';

/** Uses of an unlimited key that are not yet in the database. */
interface Counter {
  uses: number;
  lastUsedAt: number;
}

/** The number of keys whose uses may wait to be written, about 200 bytes each. Uses of other keys are lost. */
const MAX_COUNTERS = 200_000;

/** Rows are locked in id order, as everywhere, to avoid deadlocks. */
const ADD = (lock: 'FOR UPDATE OF k' | 'FOR UPDATE OF k SKIP LOCKED') => `
  WITH locked AS (
    SELECT k.id, added.uses, added.last_used_at
    FROM api_keys AS k JOIN unnest($1::uuid[], $2::bigint[], $3::timestamptz[]) AS added (id, uses, last_used_at) ON k.id = added.id
    ORDER BY k.id ${lock}
  ), written AS (
    UPDATE api_keys AS k SET uses = k.uses + locked.uses, last_used_at = greatest(k.last_used_at, locked.last_used_at)
    FROM locked WHERE k.id = locked.id RETURNING k.id
  )
  SELECT k.id FROM api_keys AS k WHERE k.id = ANY($1::uuid[]) AND k.id NOT IN (SELECT id FROM written)`;
/** Skips locked rows until the next write, so that it holds no locks while waiting. */
const ADD_TO_FREE = ADD('FOR UPDATE OF k SKIP LOCKED');
const ADD_TO_ALL = ADD('FOR UPDATE OF k');

/** Counts the uses of keys without `max_uses` in memory and writes them every second. */
export class UseCounters {
  private readonly logger = new Logger(UseCounters.name);
  private counters = new Map<string, Counter>();
  private isStopping = false;
  /** The number of uses dropped because too many keys waited to be written. */
  lost = 0;
  private readonly writer = new WriteBehind(() => this.writeAll());

  constructor(private readonly dataSource: DataSource) {}

  start(): void {
    this.writer.start();
  }

  /** Writes all counters, waiting for locked rows. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.writer.stop();
  }

  /** @param usedAt milliseconds since 1970 */
  add(keyId: string, uses: number, usedAt: number): void {
    const counter = this.counters.get(keyId);
    if (counter) {
      counter.uses += uses;
      counter.lastUsedAt = Math.max(counter.lastUsedAt, usedAt);
    } else if (this.counters.size < MAX_COUNTERS) this.counters.set(keyId, { uses, lastUsedAt: usedAt });
    else this.lost += uses;
  }

  /** Whether uses of so many keys can wait to be written without the loss of any. */
  hasRoomFor(keys: number): boolean {
    return this.counters.size + keys <= MAX_COUNTERS;
  }

  /** The number of uses that are not in the database, including lost ones. */
  get unwritten(): number {
    return [...this.counters.values()].reduce((sum, { uses }) => sum + uses, this.lost);
  }

  /** Writes the counters now, unless a write is already running. */
  flush(): Promise<void> {
    return this.writer.flush();
  }

  /** Resolves once all counted uses of one key are written. @throws the database's errors */
  async flushKey(keyId: string): Promise<void> {
    // A running write may include uses of the key
    await this.flush();
    const left = this.counters.get(keyId);
    if (!left) return;
    this.counters.delete(keyId);
    await this.write(ADD_TO_ALL, new Map([[keyId, left]]));
  }

  private async writeAll(): Promise<void> {
    if (this.counters.size === 0) return;
    const written = this.counters;
    this.counters = new Map();
    try {
      const skipped = await this.write(this.isStopping ? ADD_TO_ALL : ADD_TO_FREE, written);
      if (skipped > 0) this.logger.warn(`Uses of ${skipped} keys could not be written yet (their rows are locked).`);
    } catch (error) {
      databaseOutage.report(this.logger, `Uses of ${written.size} keys could not be written yet`, error);
    }
  }

  /** Writes counters and keeps those it could not write. @returns the number of keys skipped because of locked rows */
  private async write(statement: string, counters: ReadonlyMap<string, Counter>): Promise<number> {
    const [ids, all] = [[...counters.keys()], [...counters.values()]];
    const times = all.map(({ lastUsedAt }) => new Date(lastUsedAt));
    try {
      const parameters = [ids, all.map(({ uses }) => uses), times];
      const skipped = await executeAtMostOnce<{ id: string }[]>(this.dataSource, statement, parameters);
      if (!skipped)
        this.logger.warn(
          `Unknown whether the uses of ${ids.length} keys were written; not retrying, to avoid counting them twice.`,
        );
      for (const { id } of skipped ?? []) this.keep(id, counters.get(id));
      return skipped?.length ?? 0;
    } catch (error) {
      for (const [keyId, counter] of counters) this.keep(keyId, counter);
      throw error;
    }
  }

  private keep(keyId: string, counter: Counter | undefined): void {
    if (counter) this.add(keyId, counter.uses, counter.lastUsedAt);
  }
}
