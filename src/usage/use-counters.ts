import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { databaseOutage } from '../logging/database-outage.js';
import { executeAtMostOnce } from './execute-at-most-once.js';
import { WriteBehind } from '../background/write-behind.js';

/** Uses of an unlimited key that are not in the database yet. */
interface Counter {
  uses: number;
  lastUsedAt: number;
}

/** Of how many keys uses may wait to be written, some 200 bytes each; those of further keys are lost. */
const MAX_TALLIES = 200_000;

/** The rows are locked in the order of their ids, as by every statement here. */
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
/** What others have locked waits for the next time: meanwhile, nobody's row is locked for it. */
const ADD_TO_FREE = ADD('FOR UPDATE OF k SKIP LOCKED');
const ADD_TO_ALL = ADD('FOR UPDATE OF k');

/** Counts the uses of keys without `max_uses` in memory, and writes them each second. */
export class UseCounters {
  private readonly logger = new Logger(UseCounters.name);
  private counters = new Map<string, Counter>();
  private isEnding = false;
  /** How many uses were not counted, because too many keys waited to be written. */
  lost = 0;
  private readonly writer = new WriteBehind(() => this.writeAll());

  constructor(private readonly dataSource: DataSource) {}

  start(): void {
    this.writer.start();
  }

  /** Writes what there is, and waits for whoever has locked a row. */
  async stop(): Promise<void> {
    this.isEnding = true;
    await this.writer.stop();
  }

  /** @param usedAt milliseconds since 1970 */
  add(keyId: string, uses: number, usedAt: number): void {
    const tally = this.counters.get(keyId);
    if (tally) {
      tally.uses += uses;
      tally.lastUsedAt = Math.max(tally.lastUsedAt, usedAt);
    } else if (this.counters.size < MAX_TALLIES) this.counters.set(keyId, { uses, lastUsedAt: usedAt });
    else this.lost += uses;
  }

  /** How many uses are not in the database, lost ones among them. */
  get unwritten(): number {
    return [...this.counters.values()].reduce((sum, { uses }) => sum + uses, this.lost);
  }

  /** Writes what was counted until now, unless it is being written already. */
  flush(): Promise<void> {
    return this.writer.flush();
  }

  /** Returns when all that was counted of one key is written. @throws whatever the database throws */
  async flushKey(keyId: string): Promise<void> {
    // Uses of the key may be on their way
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
      const skipped = await this.write(this.isEnding ? ADD_TO_ALL : ADD_TO_FREE, written);
      if (skipped > 0) this.logger.warn(`Uses of ${skipped} keys could not be written yet (their rows are locked).`);
    } catch (error) {
      databaseOutage.report(this.logger, `Uses of ${written.size} keys could not be written yet`, error);
    }
  }

  /** Keeps what is not written. @returns of how many keys, because their rows were locked */
  private async write(statement: string, tallies: ReadonlyMap<string, Counter>): Promise<number> {
    const [ids, all] = [[...tallies.keys()], [...tallies.values()]];
    const times = all.map(({ lastUsedAt }) => new Date(lastUsedAt));
    try {
      const parameters = [ids, all.map(({ uses }) => uses), times];
      const skipped = await executeAtMostOnce<{ id: string }[]>(this.dataSource, statement, parameters);
      if (!skipped) this.logger.warn(`Whether uses of ${ids.length} keys were written is not known: not once more.`);
      for (const { id } of skipped ?? []) this.keep(id, tallies.get(id));
      return skipped?.length ?? 0;
    } catch (error) {
      for (const [keyId, tally] of tallies) this.keep(keyId, tally);
      throw error;
    }
  }

  private keep(keyId: string, tally: Counter | undefined): void {
    if (tally) this.add(keyId, tally.uses, tally.lastUsedAt);
  }
}
