import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { UnavailableError } from '../contract/api-error.js';
import { inBackground } from '../contract/background.js';
import { inOneLine } from '../contract/error-text.js';
import { VERIFICATION_POOL } from '../database/database.module.js';
import { runOnce } from '../database/run-once.js';
import { within } from '../database/within.js';
import { WriteBehind } from '../database/write-behind.js';
import { Clock } from '../config/clock.js';

/** What came of asking for uses of a limited key. */
export interface Spent {
  granted: boolean;
  /** How many are left; `null` if the limit has been lifted meanwhile. */
  remaining: number | null;
}

interface Waiting {
  keyId: string;
  cost: number;
  resolve(spent: Spent): void;
  reject(error: unknown): void;
}

/** Uses of an unlimited key that are not in the database yet. */
interface Tally {
  uses: number;
  lastUsedAt: number;
}

const COMMIT_WITHIN_MS = 4_000;
/**
 * How many may wait for the next commit; beyond, they would wait longer than anyone waits for an answer. Together with
 * as many that are being committed, they leave room for others among the verifications under way.
 */
const MOST_WAITING = 4_000;

/**
 * Grants each key as many uses of its cost as are left, all or none of each. The rows are locked in the order
 * of their ids, as by every statement here, so that processes cannot lock each other out for good.
 */
const SPEND = `
  WITH locked AS (
    SELECT k.id, wanted.cost, least(wanted.count, coalesce((k.max_uses - k.uses) / nullif(wanted.cost, 0), wanted.count)) AS granted
    FROM api_keys AS k JOIN unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS wanted (id, cost, count) ON k.id = wanted.id
    ORDER BY k.id FOR UPDATE OF k
  )
  UPDATE api_keys AS k
  SET uses = k.uses + locked.cost * greatest(locked.granted, 0),
      last_used_at = CASE WHEN locked.cost * locked.granted > 0 THEN greatest(k.last_used_at, $4::timestamptz) ELSE k.last_used_at END
  FROM locked WHERE k.id = locked.id
  RETURNING k.id, locked.granted::float8 AS granted, (k.max_uses - k.uses)::float8 AS remaining`;

const ADD = `
  WITH locked AS (
    SELECT k.id, added.uses, added.last_used_at
    FROM api_keys AS k JOIN unnest($1::uuid[], $2::bigint[], $3::timestamptz[]) AS added (id, uses, last_used_at) ON k.id = added.id
    ORDER BY k.id FOR UPDATE OF k
  )
  UPDATE api_keys AS k SET uses = k.uses + locked.uses, last_used_at = greatest(k.last_used_at, locked.last_used_at)
  FROM locked WHERE k.id = locked.id`;

/**
 * Counts the uses of keys. Those of a key with `max_uses` are in the database before they are granted: one
 * statement carries all that wait at that moment, over all keys, so exactness costs one commit and not one
 * each. Those of other keys are statistics: counted in memory and written each second.
 */
@Injectable()
export class UsageMeter implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(UsageMeter.name);
  private readonly listeners: ((seconds: number) => void)[] = [];
  private waiting: Waiting[] = [];
  private spending = false;
  private tallies = new Map<string, Tally>();
  private readonly tallyWriter = new WriteBehind(() => this.writeTallies());

  constructor(
    @Inject(VERIFICATION_POOL) private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.tallyWriter.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.tallyWriter.stop();
  }

  /** How many uses wait to be made durable. */
  get waitingCount(): number {
    return this.waiting.length;
  }

  /** Calls the listener with the seconds that each commit of uses took. */
  subscribe(listener: (seconds: number) => void): void {
    this.listeners.push(listener);
  }

  /**
   * Asks for uses of a limited key; granted, they are durable. Calls for one key are decided in their order.
   *
   * @param cost 0 asks what is left, and is always granted
   * @throws UnavailableError if too many wait already; whatever the database throws
   */
  spend(keyId: string, cost: number): Promise<Spent> {
    if (this.waiting.length >= MOST_WAITING) {
      throw new UnavailableError('Too many uses are waiting to be counted. Try again in a moment.', {
        retryAfterSeconds: 1,
      });
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ keyId, cost, resolve, reject });
      if (!this.spending) inBackground('Counting uses', this.spendAll());
    });
  }

  /** Counts uses of an unlimited key. */
  count(keyId: string, cost: number): void {
    this.add(keyId, cost, this.clock.now());
  }

  /** Writes what was counted in memory now, unless it is being written already. */
  flush(): Promise<void> {
    return this.tallyWriter.flush();
  }

  private add(keyId: string, uses: number, usedAt: number): void {
    const tally = this.tallies.get(keyId);
    if (tally) {
      tally.uses += uses;
      tally.lastUsedAt = Math.max(tally.lastUsedAt, usedAt);
    } else this.tallies.set(keyId, { uses, lastUsedAt: usedAt });
  }

  private async writeTallies(): Promise<void> {
    if (this.tallies.size === 0) return;
    const written = this.tallies;
    this.tallies = new Map();
    const [ids, all] = [[...written.keys()], [...written.values()]];
    const times = all.map(({ lastUsedAt }) => new Date(lastUsedAt));
    try {
      const isKnown = await runOnce(this.dataSource, ADD, [ids, all.map(({ uses }) => uses), times]);
      if (!isKnown) this.logger.warn(`Whether uses of ${ids.length} keys were written is not known: not once more.`);
    } catch (error) {
      this.logger.warn(`Uses of ${ids.length} keys could not be written yet (${inOneLine(error)}).`);
      for (const [keyId, { uses, lastUsedAt }] of written) this.add(keyId, uses, lastUsedAt);
    }
  }

  private async spendAll(): Promise<void> {
    this.spending = true;
    while (this.waiting.length > 0) {
      const batch = this.takeBatch();
      await this.spendBatch(batch).catch((error: unknown) => {
        for (const one of [...batch.values()].flat()) one.reject(error);
      });
    }
    this.spending = false;
  }

  /** Of each key, those at the head of the queue that ask for the same cost: their order does not matter then. */
  private takeBatch(): Map<string, Waiting[]> {
    const batch = new Map<string, Waiting[]>();
    const rest: Waiting[] = [];
    const cut = new Set<string>();
    for (const one of this.waiting) {
      const same = batch.get(one.keyId);
      if (cut.has(one.keyId) || (same && same[0]?.cost !== one.cost)) {
        cut.add(one.keyId);
        rest.push(one);
      } else if (same) same.push(one);
      else batch.set(one.keyId, [one]);
    }
    this.waiting = rest;
    return batch;
  }

  private async spendBatch(batch: Map<string, Waiting[]>): Promise<void> {
    const [ids, asked] = [[...batch.keys()], [...batch.values()]];
    const costs = asked.map(([first]) => first?.cost);
    const counts = asked.map(({ length }) => length);
    const began = performance.now();
    const query = this.dataSource.query(SPEND, [ids, costs, counts, new Date(this.clock.now())]);
    const [rows] = (await within(COMMIT_WITHIN_MS, query)) as [
      { id: string; granted: number; remaining: number | null }[],
    ];
    for (const listener of this.listeners) listener((performance.now() - began) / 1_000);
    const results = new Map(rows.map((row) => [row.id, row]));
    for (const [keyId, all] of batch) {
      const { granted = 0, remaining = 0 } = results.get(keyId) ?? {};
      for (const [index, one] of all.entries()) one.resolve(grantOf(index, granted, remaining, one.cost));
    }
  }
}

/** The first ones are granted; what is left after each is told as if they had come one by one. */
function grantOf(index: number, granted: number, remaining: number | null, cost: number): Spent {
  if (index >= granted) return { granted: false, remaining };
  return { granted: true, remaining: remaining === null ? null : remaining + (granted - index - 1) * cost };
}
