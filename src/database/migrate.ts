import { type DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import type { DatabaseLocation } from '../config/environment.js';
import { StartError } from '../config/start-error.js';
import { startStep } from '../config/start-steps.js';
import { createDataSource } from './data-source.js';
import { pendingMigrations } from './pending-migrations.js';
import { LOCK_NOT_AVAILABLE, sqlStateOf } from './sql-state.js';

/** An arbitrary advisory lock number, unique on the database: "w3k" in hexadecimal. */
const MIGRATION_LOCK = 0x77336b;
const LOCK_TIMEOUT_MS = 25_000;
/** Generous, since many processes that start on one machine may each be delayed for seconds. */
const LIMITS = { lockTimeoutMs: LOCK_TIMEOUT_MS, idleInTransactionMs: LOCK_TIMEOUT_MS };
/** SQLSTATEs of objects that exist already or differ from the expected ones; their messages quote no values. */
const SCHEMA_CONFLICT = /^42(P07|710|P01|703|704|804|809|883)$/;

/** Repairs the sequence of the migrations table after a restore that did not include its position. */
const ADVANCE_SEQUENCE = `SELECT setval(pg_get_serial_sequence('migrations', 'id'), max(id)) FROM migrations HAVING max(id) > 0`;

/**
 * Runs pending migrations on a connection of its own, without a statement timeout.
 *
 * All run in one transaction with an advisory lock, so that one process migrates at a time. The lock is the
 * transaction's: behind a pooler, a session's lock would outlive its process. Later processes find nothing pending and
 * acquire no lock.
 *
 * @returns the names of the migrations that this call ran
 * @throws StartError if a lock was not available in time, or the schema conflicts with existing objects
 */
export async function migrate(location: DatabaseLocation): Promise<string[]> {
  // TypeORM's other loggers would print failures in lines of their own, which are not JSON
  const dataSource = await createDataSource(location, [], LIMITS).setOptions({ logger: 'debug' }).initialize();
  try {
    const runner = dataSource.createQueryRunner();
    const pending = await pendingMigrations(dataSource, runner);
    return pending.length === 0 ? [] : await runPending(dataSource, runner);
  } catch (error) {
    throw toStartError(error) ?? error;
  } finally {
    // Ends the connections, and with them a transaction that is still open
    await dataSource.destroy();
  }
}

function toStartError(error: unknown): StartError | undefined {
  const state = sqlStateOf(error);
  if (state === LOCK_NOT_AVAILABLE)
    return new StartError(
      `The migrations timed out after ${LOCK_TIMEOUT_MS / 1_000} s waiting for a lock of another database session: ` +
        'another process that migrates, or an open transaction (see pg_stat_activity and pg_locks).',
    );
  if (!SCHEMA_CONFLICT.test(String(state))) return undefined;
  return new StartError(
    `The migrations conflict with existing tables (${(error as Error).message}). If these belong to another program, ` +
      'give this service a database or schema of its own.',
    { cause: error },
  );
}

async function runPending(dataSource: DataSource, runner: QueryRunner): Promise<string[]> {
  await runner.startTransaction();
  const lock = runner.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
  await startStep('the migration lock, which another process has acquired', lock);
  if (await runner.hasTable('migrations')) await runner.query(ADVANCE_SEQUENCE);
  const migrations = new MigrationExecutor(dataSource, runner).executePendingMigrations();
  const done = await startStep('the migrations', migrations, true);
  await runner.commitTransaction();
  return done.map(({ name }) => name);
}
