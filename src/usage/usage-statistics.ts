import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '../config/clock.js';
import { UsageDay } from './usage-day.entity.js';

const FLUSH_EVERY_MS = 1_000;
const DAY_MS = 86_400_000;

/** In the order of the primary key, as everywhere, so that processes cannot lock each other out for good. */
const ADD = `
  INSERT INTO usage_days (api_key_id, day, code, count)
  SELECT * FROM unnest($1::uuid[], $2::date[], $3::text[], $4::bigint[]) AS added (api_key_id, day, code, count)
  ORDER BY api_key_id, day, code
  ON CONFLICT (api_key_id, day, code) DO UPDATE SET count = usage_days.count + excluded.count`;

const TOUCH = `
  WITH locked AS (
    SELECT k.id, used.at FROM api_keys AS k JOIN unnest($1::uuid[], $2::timestamptz[]) AS used (id, at) ON k.id = used.id
    WHERE k.previous_secret_hash IS NOT NULL ORDER BY k.id FOR UPDATE OF k
  )
  UPDATE api_keys AS k SET previous_secret_last_used_at = greatest(k.previous_secret_last_used_at, locked.at)
  FROM locked WHERE k.id = locked.id`;

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
  private verdicts = new Map<string, Record<string, number>>();
  private previousSecrets = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  count(keyId: string, code: string, times = 1): void {
    let counts = this.verdicts.get(keyId);
    if (!counts) this.verdicts.set(keyId, (counts = {}));
    counts[code] = (counts[code] ?? 0) + times;
  }

  /** The secret before the last rotation was used. */
  notePreviousSecret(keyId: string): void {
    this.previousSecrets.set(keyId, this.clock.now());
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

  /** Writes what was counted; what cannot be written is kept for the next time. */
  async flush(): Promise<void> {
    if (this.verdicts.size === 0 && this.previousSecrets.size === 0) return;
    const [verdicts, previous] = [this.verdicts, this.previousSecrets];
    [this.verdicts, this.previousSecrets] = [new Map(), new Map()];
    const rows = [...verdicts].flatMap(([id, counts]) =>
      Object.entries(counts).map(([code, count]) => ({ id, code, count })),
    );
    try {
      const day = dayOf(this.clock.now());
      const ids = rows.map((row) => row.id);
      if (rows.length > 0) {
        await this.dataSource.query(ADD, [
          ids,
          ids.map(() => day),
          rows.map((row) => row.code),
          rows.map((row) => row.count),
        ]);
      }
      rows.length = 0;
      const times = [...previous.values()].map((time) => new Date(time));
      if (previous.size > 0) await this.dataSource.query(TOUCH, [[...previous.keys()], times]);
    } catch (error) {
      this.logger.warn(`Statistics could not be written yet (${(error as Error).message}).`);
      for (const { id, code, count } of rows) this.count(id, code, count);
      for (const [id, time] of previous) if (!this.previousSecrets.has(id)) this.previousSecrets.set(id, time);
    }
  }
}

/** `2026-11-24`, in UTC. */
function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
