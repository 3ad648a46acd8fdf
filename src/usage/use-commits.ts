import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import type { Clock } from '../clock.js';
import { UnavailableError } from '../http/errors/api-error.js';
import { inBackground } from '../background/background.js';
import { withTimeout } from '../database/with-timeout.js';
import {
  atOneCost,
  type ConsumedRow,
  isLate,
  settle,
  type Consumed,
  takeBatch,
  tooManyUses,
  type Waiting,
} from './waiting-uses.js';

const COMMIT_WITHIN_MS = 4_000;
/**
 * How many may wait for the next commit; beyond, they would wait longer than anyone waits for an answer. Together with
 * as many that are being committed, they leave room for others among the verifications under way.
 */
const MAX_WAITING = 4_000;
/** How soon a key is tried again whose row somebody else had locked. */
const RETRY_MS = 15;
const GONE: Omit<ConsumedRow, 'id'> = { granted: 0, remaining: 0, revoked: false };

/**
 * Grants each key as many uses of its cost as are left, all or none of each. Waits for nobody: a key whose row is
 * locked is left out, so that it does not hold up all the others.
 */
const CONSUME = `
  WITH locked AS (
    SELECT k.id, wanted.cost,
           CASE WHEN k.revoked_at IS NULL
             THEN least(wanted.count, coalesce((k.max_uses - k.uses) / nullif(wanted.cost, 0), wanted.count))
             ELSE 0 END AS granted
    FROM api_keys AS k JOIN unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS wanted (id, cost, count) ON k.id = wanted.id
    ORDER BY k.id FOR UPDATE OF k SKIP LOCKED
  )
  UPDATE api_keys AS k
  SET uses = k.uses + locked.cost * greatest(locked.granted, 0),
      last_used_at = CASE WHEN locked.cost * locked.granted > 0 THEN greatest(k.last_used_at, $4::timestamptz) ELSE k.last_used_at END
  FROM locked WHERE k.id = locked.id
  RETURNING k.id, locked.granted::float8 AS granted, (k.max_uses - k.uses)::float8 AS remaining,
            k.revoked_at IS NOT NULL AS revoked`;

/**
 * Commits the uses of keys before they are granted: one statement carries all that wait at that moment, over all keys,
 * so exactness costs one commit and not one each. Those of one key are served in their order.
 */
export class UseCommits {
  private readonly listeners: ((seconds: number) => void)[] = [];
  private waiting: Waiting[] = [];
  private isCommitting = false;
  /** Those whose key's row was locked by somebody else, by their keys: they are tried again by themselves. */
  private readonly locked = new Map<string, Waiting[]>();
  private isRetrying = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  get waitingCount(): number {
    if (this.locked.size === 0) return this.waiting.length;
    return [...this.locked.values()].reduce((sum, { length }) => sum + length, this.waiting.length);
  }

  /** Calls the listener with the seconds that each commit took. */
  subscribe(listener: (seconds: number) => void): void {
    this.listeners.push(listener);
  }

  /** @throws UnavailableError if too many wait, or the key's row stays locked; whatever the database throws */
  consume(keyId: string, cost: number): Promise<Consumed> {
    if (this.waitingCount >= MAX_WAITING) throw tooManyUses();
    return new Promise((resolve, reject) => {
      const one = { keyId, cost, deadline: performance.now() + COMMIT_WITHIN_MS, resolve, reject };
      const sameKey = this.locked.get(keyId);
      if (sameKey) sameKey.push(one);
      else this.waiting.push(one);
      if (!sameKey && !this.isCommitting) inBackground('Counting uses', this.commitAll());
    });
  }

  private async commitAll(): Promise<void> {
    this.isCommitting = true;
    while (this.waiting.length > 0) {
      this.waiting = this.waiting.filter((one) => !isLate(one));
      const { batch, rest } = takeBatch(this.waiting);
      this.waiting = rest;
      await this.commit(batch, (keyId, all) => this.setAside(keyId, all));
    }
    this.isCommitting = false;
  }

  /** They, and those of the same key behind them, wait until its row is free. */
  private setAside(keyId: string, all: Waiting[]): void {
    const behind = this.waiting.filter((one) => one.keyId === keyId);
    if (behind.length > 0) this.waiting = this.waiting.filter((one) => one.keyId !== keyId);
    this.locked.set(keyId, [...all, ...behind]);
    if (!this.isRetrying) inBackground('Counting uses of locked keys', this.retryLocked());
  }

  private async retryLocked(): Promise<void> {
    this.isRetrying = true;
    while (this.locked.size > 0) {
      await sleep(RETRY_MS);
      this.expire();
      const batch = new Map([...this.locked].map(([keyId, all]) => [keyId, atOneCost(all)]));
      if (batch.size === 0) break;
      const missing = new Set<string>();
      await this.commit(batch, (keyId) => missing.add(keyId));
      const gone = await this.goneAmong(missing);
      for (const [keyId, all] of batch) {
        if (gone.has(keyId)) settle(all, GONE);
        if (gone.has(keyId) || !missing.has(keyId)) this.takeOut(keyId, all.length);
      }
    }
    this.isRetrying = false;
  }

  private takeOut(keyId: string, count: number): void {
    const left = this.locked.get(keyId)?.slice(count) ?? [];
    if (left.length > 0) this.locked.set(keyId, left);
    else this.locked.delete(keyId);
  }

  private expire(): void {
    const now = performance.now();
    for (const [keyId, all] of this.locked) {
      const late = all.filter(({ deadline }) => deadline <= now);
      if (late.length === 0) continue;
      const error = new UnavailableError('This API key is being changed. Try again in a moment.', {
        retryAfterSeconds: 1,
      });
      for (const one of late) one.reject(error);
      // They wait in their order, so the first are late first
      this.takeOut(keyId, late.length);
    }
  }

  /** Commits what is left in the batch of each key, and answers it. Never fails: whoever asked learns of it. */
  private async commit(batch: Map<string, Waiting[]>, onMissing: (keyId: string, all: Waiting[]) => void) {
    try {
      const consumed = await this.execute(batch);
      for (const [keyId, all] of batch) {
        const one = consumed.get(keyId);
        if (one) settle(all, one);
        else onMissing(keyId, all);
      }
    } catch (error) {
      for (const one of [...batch.values()].flat()) one.reject(error);
    }
  }

  private async execute(batch: Map<string, Waiting[]>): Promise<Map<string, ConsumedRow>> {
    const [ids, asked] = [[...batch.keys()], [...batch.values()]];
    const costs = asked.map(([first]) => first?.cost);
    const counts = asked.map(({ length }) => length);
    const began = performance.now();
    const now = new Date(this.clock.now());
    const query = this.dataSource.query(CONSUME, [ids, costs, counts, now]);
    const [rows] = (await withTimeout(COMMIT_WITHIN_MS, query)) as [ConsumedRow[]];
    for (const listener of this.listeners) listener((performance.now() - began) / 1_000);
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** Of keys that were left out, those that are not locked, but purged. */
  private async goneAmong(keyIds: ReadonlySet<string>): Promise<Set<string>> {
    if (keyIds.size === 0) return new Set();
    const find = 'SELECT id FROM api_keys WHERE id = ANY($1::uuid[])';
    try {
      const rows = (await withTimeout(COMMIT_WITHIN_MS, this.dataSource.query(find, [[...keyIds]]))) as {
        id: string;
      }[];
      const there = new Set(rows.map(({ id }) => id));
      return new Set([...keyIds].filter((id) => !there.has(id)));
    } catch {
      // They are tried again, until they are late
      return new Set();
    }
  }
}
