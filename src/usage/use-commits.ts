import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import type { Clock } from '../clock.js';
import { UnavailableError } from '../http/errors/api-error.js';
import { inBackground } from '../background/background.js';
import { withTimeout } from '../database/with-timeout.js';
import {
  leadingOfSameCost,
  type ConsumedRow,
  rejectIfExpired,
  settle,
  type Consumed,
  takeBatch,
  tooManyUses,
  type Waiting,
} from './waiting-uses.js';

const COMMIT_TIMEOUT_MS = 4_000;
/**
 * How many callers may wait for the next commit; more would time out anyway. Together with an equal number being
 * committed, they leave capacity for other verifications.
 */
const MAX_WAITING = 4_000;
/** The delay before retrying keys whose rows were locked. */
const RETRY_MS = 15;
const PURGED: Omit<ConsumedRow, 'id'> = { granted: 0, remaining: 0, revoked: false };

/**
 * Grants each key up to `count` uses of `cost`, each in full or not at all. Skips locked rows, so that one locked key
 * does not delay the others.
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
 * Commits the uses of keys before they are granted, by group commit: one statement carries all waiting callers of all
 * keys, so exactness costs one commit, not one each. Callers of one key are served in order.
 */
export class UseCommits {
  private readonly listeners: ((seconds: number) => void)[] = [];
  private waiting: Waiting[] = [];
  private isCommitting = false;
  /** Callers whose key's row is locked, by key. They are retried separately. */
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

  /** Calls the listener with the duration of each commit, in seconds. */
  subscribe(listener: (seconds: number) => void): void {
    this.listeners.push(listener);
  }

  /** @throws UnavailableError if too many callers wait, or the key's row stays locked; the database's errors */
  consume(keyId: string, cost: number): Promise<Consumed> {
    if (this.waitingCount >= MAX_WAITING) throw tooManyUses();
    return new Promise((resolve, reject) => {
      const one = { keyId, cost, deadline: performance.now() + COMMIT_TIMEOUT_MS, resolve, reject };
      const sameKey = this.locked.get(keyId);
      if (sameKey) sameKey.push(one);
      else this.waiting.push(one);
      if (!sameKey && !this.isCommitting) inBackground('Counting uses', this.commitAll());
    });
  }

  private async commitAll(): Promise<void> {
    this.isCommitting = true;
    while (this.waiting.length > 0) {
      this.waiting = this.waiting.filter((one) => !rejectIfExpired(one));
      const { batch, rest } = takeBatch(this.waiting);
      this.waiting = rest;
      await this.commit(batch, (keyId, all) => this.queueForRetry(keyId, all));
    }
    this.isCommitting = false;
  }

  /** Moves these callers, and later ones of the same key, to the retry queue. */
  private queueForRetry(keyId: string, all: Waiting[]): void {
    const later = this.waiting.filter((one) => one.keyId === keyId);
    if (later.length > 0) this.waiting = this.waiting.filter((one) => one.keyId !== keyId);
    this.locked.set(keyId, [...all, ...later]);
    if (!this.isRetrying) inBackground('Counting uses of locked keys', this.retryLocked());
  }

  private async retryLocked(): Promise<void> {
    this.isRetrying = true;
    while (this.locked.size > 0) {
      await sleep(RETRY_MS);
      this.rejectExpired();
      const batch = new Map([...this.locked].map(([keyId, all]) => [keyId, leadingOfSameCost(all)]));
      if (batch.size === 0) break;
      const missing = new Set<string>();
      await this.commit(batch, (keyId) => missing.add(keyId));
      const purged = await this.findPurged(missing);
      for (const [keyId, all] of batch) {
        if (purged.has(keyId)) settle(all, PURGED);
        if (purged.has(keyId) || !missing.has(keyId)) this.dequeue(keyId, all.length);
      }
    }
    this.isRetrying = false;
  }

  private dequeue(keyId: string, count: number): void {
    const left = this.locked.get(keyId)?.slice(count) ?? [];
    if (left.length > 0) this.locked.set(keyId, left);
    else this.locked.delete(keyId);
  }

  private rejectExpired(): void {
    const now = performance.now();
    for (const [keyId, all] of this.locked) {
      const expired = all.filter(({ deadline }) => deadline <= now);
      if (expired.length === 0) continue;
      const error = new UnavailableError('This API key is being updated. Try again in a moment.', {
        retryAfterSeconds: 1,
      });
      for (const one of expired) one.reject(error);
      // Callers are in arrival order, so the expired ones come first
      this.dequeue(keyId, expired.length);
    }
  }

  /** Commits a batch and settles its callers. Never throws: errors go to the callers. */
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
    const startedAt = performance.now();
    const now = new Date(this.clock.now());
    const query = this.dataSource.query(CONSUME, [ids, costs, counts, now]);
    const [rows] = (await withTimeout(COMMIT_TIMEOUT_MS, query)) as [ConsumedRow[]];
    for (const listener of this.listeners) listener((performance.now() - startedAt) / 1_000);
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** Among keys skipped by a commit, those that are not locked but purged. */
  private async findPurged(keyIds: ReadonlySet<string>): Promise<Set<string>> {
    if (keyIds.size === 0) return new Set();
    const find = 'SELECT id FROM api_keys WHERE id = ANY($1::uuid[])';
    try {
      const rows = (await withTimeout(COMMIT_TIMEOUT_MS, this.dataSource.query(find, [[...keyIds]]))) as {
        id: string;
      }[];
      const existing = new Set(rows.map(({ id }) => id));
      return new Set([...keyIds].filter((id) => !existing.has(id)));
    } catch {
      // The keys are retried until their callers expire
      return new Set();
    }
  }
}
