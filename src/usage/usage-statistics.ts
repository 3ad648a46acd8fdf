import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { Clock } from '../clock.js';
import { databaseOutage } from '../logging/database-outage.js';
import { VERIFICATION_POOL } from '../database/database.module.js';
import { executeAtMostOnce } from './execute-at-most-once.js';
import { WriteBehind } from '../background/write-behind.js';
import { UsageDay } from './usage-day.entity.js';

const DAY_MS = 86_400_000;
/** Of how many keys and days statistics may wait to be written, some 400 bytes each; those of further ones are lost. */
const MAX_WAITING = 200_000;

/** In the order of the primary key, as everywhere, so that processes cannot lock each other out for good. */
const ADD = `
  INSERT INTO usage_days (api_key_id, day, code, count)
  SELECT * FROM unnest($1::uuid[], $2::date[], $3::text[], $4::bigint[]) AS added (api_key_id, day, code, count)
  ORDER BY api_key_id, day, code
  ON CONFLICT (api_key_id, day, code) DO UPDATE SET count = usage_days.count + excluded.count`;

/** How often a key got each verdict on one day. */
export interface DayOfUse {
  day: string;
  verified: number;
  /** By the verdict's code. */
  denied: Record<string, number>;
}

/** Counts verdicts for each key and day, in memory, and writes them each second: the last of them may be lost. */
@Injectable()
export class UsageStatistics implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(UsageStatistics.name);
  /** By day, then by key, then by code. */
  private verdicts = new Map<number, Map<string, Record<string, number>>>();
  /** Of how many keys and days. */
  private waiting = 0;
  /** How many verdicts were not counted, because too many keys waited to be written. */
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

  /** How many verdicts are not in the database, lost ones among them. */
  get unwritten(): number {
    const counts = [...this.verdicts.values()].flatMap((keys) => [...keys.values()].flatMap(Object.values<number>));
    return counts.reduce((sum, count) => sum + count, this.lost);
  }

  count(keyId: string, code: string): void {
    this.add(Math.floor(this.clock.now() / DAY_MS), keyId, code, 1);
  }

  /** The last days on which there were verdicts, today first. */
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

  /** Writes what was counted now, unless it is being written already. */
  flush(): Promise<void> {
    return this.writer.flush();
  }

  private async write(): Promise<void> {
    await this.writeVerdicts().catch((error: unknown) => {
      databaseOutage.report(this.logger, 'Statistics could not be written yet', error);
    });
  }

  private add(day: number, keyId: string, code: string, times: number): void {
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
      [...keys].flatMap(([id, counts]) => Object.entries(counts).map(([code, count]) => ({ day, id, code, count }))),
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
      if (written === undefined) this.logger.warn('Whether verdicts were counted is not known: not once more.');
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
