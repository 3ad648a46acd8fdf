import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Refusal } from '@w3ipfs/api-keys-guard/decision';
import { Clock } from '../clock.js';
import { databaseOutage } from '../logging/database-outage.js';
import { VERIFICATION_POOL } from '../database/database.module.js';
import { executeAtMostOnce } from './execute-at-most-once.js';
import { WriteBehind } from '../background/write-behind.js';
import { UsageDay } from './usage-day.entity.js';

const DAY_MS = 86_400_000;
/** The number of pairs of key and day that may wait to be written, about 400 bytes each. Verdicts of others are lost. */
const MAX_WAITING = 200_000;

/** Rows are written in primary-key order, as everywhere, to avoid deadlocks. */
const ADD = `
  INSERT INTO usage_days (api_key_id, day, code, count)
  SELECT * FROM unnest($1::uuid[], $2::date[], $3::text[], $4::bigint[]) AS added (api_key_id, day, code, count)
  ORDER BY api_key_id, day, code
  ON CONFLICT (api_key_id, day, code) DO UPDATE SET count = usage_days.count + excluded.count`;

type UsageCode = 'VALID' | Refusal;
type Counts = Partial<Record<UsageCode, number>>;

/** The verdicts of a key on one day (UTC). */
export interface DayOfUse {
  day: string;
  verified: number;
  /** Counts by the verdict's code. */
  denied: Record<string, number>;
}

/** Counts verdicts by key and day in memory and writes them every second. A crash may lose the last second. */
@Injectable()
export class UsageStatistics implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(UsageStatistics.name);
  /** Counts by day, then key, then code. */
  private verdicts = new Map<number, Map<string, Counts>>();
  /** The number of pairs of key and day in `verdicts`. */
  private waiting = 0;
  /** The number of verdicts dropped because too many keys waited to be written. */
  lost = 0;
  private readonly writer = new WriteBehind(() => this.write());

  constructor(
    @Inject(VERIFICATION_POOL) private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.writer.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.writer.stop();
  }

  /** The number of verdicts that are not in the database, including lost ones. */
  get unwritten(): number {
    const counts = [...this.verdicts.values()].flatMap((keys) => [...keys.values()].flatMap(Object.values<number>));
    return counts.reduce((sum, count) => sum + count, this.lost);
  }

  count(keyId: string, code: UsageCode): void {
    this.countAt(this.clock.now(), keyId, code, 1);
  }

  /** Counts verdicts that were given elsewhere. @param time milliseconds since 1970 */
  countAt(time: number, keyId: string, code: UsageCode, times: number): void {
    this.add(Math.floor(time / DAY_MS), keyId, code, times);
  }

  /** Whether verdicts on so many keys can wait to be written without the loss of any. */
  hasRoomFor(keys: number): boolean {
    return this.waiting + keys <= MAX_WAITING;
  }

  /** The days with verdicts among the last `days` days, newest first. */
  async lastDays(keyId: string, days: number): Promise<DayOfUse[]> {
    const since = dayOf(this.clock.now() - (days - 1) * DAY_MS);
    const query = this.dataSource.getRepository(UsageDay).createQueryBuilder('row');
    const rows = await query
      .where('row.api_key_id = :keyId AND row.day >= :since', { keyId, since })
      .orderBy('row.day', 'DESC')
      .getMany();
    const found = new Map<string, DayOfUse>();
    for (const { day, code, count } of rows) {
      const use = found.get(day) ?? { day, verified: 0, denied: {} };
      found.set(day, use);
      if (code === 'VALID') use.verified = Number(count);
      else use.denied[code] = Number(count);
    }
    return [...found.values()];
  }

  /** Writes the counts now, unless a write is already running. */
  flush(): Promise<void> {
    return this.writer.flush();
  }

  private async write(): Promise<void> {
    await this.writeVerdicts().catch((error: unknown) => {
      databaseOutage.report(this.logger, 'Statistics could not be written yet', error);
    });
  }

  private add(day: number, keyId: string, code: UsageCode, times: number): void {
    let keys = this.verdicts.get(day);
    if (!keys) this.verdicts.set(day, (keys = new Map()));
    let counts = keys.get(keyId);
    if (!counts) {
      if (this.waiting >= MAX_WAITING) {
        this.lost += times;
        return;
      }
      keys.set(keyId, (counts = {}));
      this.waiting++;
    }
    counts[code] = (counts[code] ?? 0) + times;
  }

  private async writeVerdicts(): Promise<void> {
    if (this.verdicts.size === 0) return;
    const rows = [...this.verdicts].flatMap(([day, keys]) =>
      [...keys].flatMap(([id, counts]) => entriesOf(counts).map(([code, count]) => ({ day, id, code, count }))),
    );
    this.verdicts = new Map();
    this.waiting = 0;
    try {
      const written = await executeAtMostOnce<unknown>(this.dataSource, ADD, [
        rows.map(({ id }) => id),
        rows.map(({ day }) => dayOf(day * DAY_MS)),
        rows.map(({ code }) => code),
        rows.map(({ count }) => count),
      ]);
      if (written === undefined)
        this.logger.warn('Unknown whether verdicts were written; not retrying, to avoid counting them twice.');
    } catch (error) {
      for (const { day, id, code, count } of rows) this.add(day, id, code, count);
      throw error;
    }
  }
}

/** `2026-11-24`, in UTC. */
function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** `Object.entries()` does not keep the types of names. */
function entriesOf(counts: Counts): [UsageCode, number][] {
  return Object.entries(counts) as [UsageCode, number][];
}
