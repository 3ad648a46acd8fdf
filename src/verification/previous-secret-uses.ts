import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { digestInSql } from '../api-keys/credentials/hash-digest.js';
import { WriteBehind } from '../background/write-behind.js';
import { Clock } from '../clock.js';
import { VERIFICATION_POOL } from '../database/database.module.js';
import { databaseOutage } from '../logging/database-outage.js';

/** The cap on keys with a use to write; uses of further keys are dropped. */
const MAX_WAITING = 200_000;

/** Skips locked rows and returns them, so that no row stays locked while the statement waits for another. */
const TOUCH = `
  WITH used AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS used (id, hash, at)
  ), locked AS (
    SELECT k.id, used.at FROM api_keys AS k JOIN used ON k.id = used.id
    WHERE ${digestInSql('k.previous_secret_hash')} = used.hash ORDER BY k.id FOR UPDATE OF k SKIP LOCKED
  ), touched AS (
    UPDATE api_keys AS k SET previous_secret_last_used_at = greatest(k.previous_secret_last_used_at, locked.at)
    FROM locked WHERE k.id = locked.id RETURNING k.id
  )
  SELECT k.id FROM api_keys AS k JOIN used ON k.id = used.id
  WHERE ${digestInSql('k.previous_secret_hash')} = used.hash AND k.id NOT IN (SELECT id FROM touched)`;

/** When a previous secret was used. `hash` is the digest of its stored hash: a rotation may have replaced it. */
interface PreviousSecretUse {
  hash: string | null;
  at: number;
}

/** Records when a key's previous secret was last used. Write-behind, once a second: the last second may be lost. */
@Injectable()
export class PreviousSecretUses implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(PreviousSecretUses.name);
  /** By the id of the key. */
  private waiting = new Map<string, PreviousSecretUse>();
  private readonly writer = new WriteBehind(() => this.write());

  constructor(
    @Inject(VERIFICATION_POOL) private readonly dataSource: Pick<DataSource, 'query'>,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.writer.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.writer.stop();
  }

  /** @param at milliseconds since 1970; now by default */
  record({ id, storedHash: hash }: { id: string; storedHash: string | null }, at = this.clock.now()): void {
    if (this.waiting.size >= MAX_WAITING && !this.waiting.has(id)) return;
    if (!this.hasLater(id, { hash, at })) this.waiting.set(id, { hash, at });
  }

  /** Writes now, unless a write is in progress. */
  flush(): Promise<void> {
    return this.writer.flush();
  }

  private async write(): Promise<void> {
    if (this.waiting.size === 0) return;
    const used = this.waiting;
    const uses = [...used.values()];
    this.waiting = new Map();
    try {
      const parameters = [[...used.keys()], uses.map(({ hash }) => hash), uses.map(({ at }) => new Date(at))];
      const skipped = await this.dataSource.query<{ id: string }[]>(TOUCH, parameters);
      for (const { id } of skipped) this.keep(id, used);
    } catch (error) {
      for (const id of used.keys()) this.keep(id, used);
      databaseOutage.report(this.logger, 'Uses of previous secrets could not be written yet', error);
    }
  }

  /** Retries with the next write, unless the secret was used again since. */
  private keep(id: string, used: ReadonlyMap<string, PreviousSecretUse>): void {
    const use = used.get(id);
    const waiting = this.waiting.get(id);
    if (use && (!waiting || (waiting.hash === use.hash && waiting.at < use.at))) this.waiting.set(id, use);
  }

  /** Whether a later use of the same secret waits. */
  private hasLater(id: string, { hash, at }: PreviousSecretUse): boolean {
    const waiting = this.waiting.get(id);
    return waiting?.hash === hash && waiting.at > at;
  }
}
