import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { HOUSEKEEPING_ANNOUNCEMENT } from '../../api-keys/invalidation/announcements.js';
import { databaseOutage } from '../../logging/database-outage.js';
import { KEY_CHANGES_KEPT_MS } from '../../verification/invalidation-feed.js';
import { Recurring } from '../../background/recurring.js';

const INTERVAL_MS = 600_000;
/** Small batches, so that no statement keeps its locks for long. */
const BATCH_ROWS = 500;
const PAUSE_MS = 20;
const DAY_SECONDS = 86_400;
/** An arbitrary advisory lock number, unique on the database: "w3h" in hexadecimal. */
const HOUSEKEEPING_LOCK = 0x773368;

/** By the database's clock: a process whose own clock is ahead must not remove rows early. */
const CUTOFF = 'now() - make_interval(secs => $1::float8)';

/** Statements that remove expired rows. `$1`: minimum age in seconds; `$2`: maximum number of rows. */
const REMOVALS = {
  usage_days: `
    DELETE FROM usage_days WHERE api_key_id IN (
      SELECT k.id FROM api_keys AS k JOIN usage_days AS u ON u.api_key_id = k.id WHERE k.revoked_at < ${CUTOFF} LIMIT $2)`,
  // Leaves first: a cascade reaches descendants through the keys in between
  api_keys: `
    DELETE FROM api_keys WHERE id IN (
      SELECT k.id FROM api_keys AS k
      WHERE k.revoked_at < ${CUTOFF} AND NOT EXISTS (SELECT FROM api_keys AS child WHERE child.issued_by = k.id) LIMIT $2)`,
  idempotent_answers: `
    DELETE FROM idempotent_answers WHERE id IN (SELECT id FROM idempotent_answers WHERE expires_at < ${CUTOFF} LIMIT $2)`,
  key_changes: `
    DELETE FROM key_changes WHERE seq IN (
      SELECT seq FROM key_changes WHERE changed_at < ${CUTOFF} LIMIT $2)`,
};

/** So that there is always a young row, which shows that later ones have not been removed (`older-changes.ts`). */
const MARK = `
  INSERT INTO key_changes (transaction_id, api_key, changed_at) VALUES (pg_current_xact_id()::text::bigint, $1, now())`;

/**
 * Removes keys revoked for `RETENTION_DAYS`, expired idempotent answers, and invalidations that every process has read.
 * In small batches, by one process at a time.
 */
@Injectable()
export class Housekeeping implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Housekeeping.name);
  /** Runs for the metrics; `done` includes those left to another process. */
  readonly runs = { done: 0, failed: 0 };
  private readonly stopping = new AbortController();
  private readonly recurring = new Recurring(() => this.tryToRun(), INTERVAL_MS);

  constructor(
    private readonly dataSource: DataSource,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  onApplicationBootstrap(): void {
    this.recurring.start();
  }

  onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    return this.recurring.stop();
  }

  private async tryToRun(): Promise<void> {
    try {
      await this.run();
      this.runs.done++;
    } catch (error) {
      this.runs.failed++;
      databaseOutage.report(this.logger, 'Housekeeping failed; retrying in ten minutes', error);
    }
  }

  /** Runs all removals, unless another process is already running them. */
  async run(): Promise<void> {
    const retentionSeconds = this.environment.retentionDays * DAY_SECONDS;
    const removals: [statement: string, seconds: number][] = [
      [REMOVALS.usage_days, retentionSeconds],
      [REMOVALS.api_keys, retentionSeconds],
      [REMOVALS.idempotent_answers, 0],
      [REMOVALS.key_changes, KEY_CHANGES_KEPT_MS / 1_000],
    ];
    await this.dataSource.query(MARK, [HOUSEKEEPING_ANNOUNCEMENT]);
    for (const [statement, seconds] of removals) if (!(await this.remove(statement, seconds))) return;
  }

  /** @returns whether to continue; `false` if another process is running them, or on shutdown */
  private async remove(statement: string, seconds: number): Promise<boolean> {
    while (!this.stopping.signal.aborted) {
      const removed = await this.dataSource.transaction((tx) => removeBatch(tx, statement, seconds));
      if (removed === undefined) return false;
      if (removed < BATCH_ROWS) return true;
      // Leave capacity to other work
      await sleep(PAUSE_MS);
    }
    return false;
  }
}

/** @returns the number of rows removed; `undefined` if another process has the lock */
async function removeBatch(tx: EntityManager, statement: string, seconds: number): Promise<number | undefined> {
  // A transaction's lock: behind a pooler, the session's next statement may run on another connection
  const lock = 'SELECT pg_try_advisory_xact_lock($1) AS locked';
  const [{ locked }] = await tx.query<[{ locked: boolean }]>(lock, [HOUSEKEEPING_LOCK]);
  if (!locked) return undefined;
  const [, removed] = await tx.query<[unknown, number]>(statement, [seconds, BATCH_ROWS]);
  return removed;
}
