import { type DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import type { DatabaseLocation } from '../config/environment.js';
import { StartError } from '../config/start-error.js';
import { startStep } from '../config/start-steps.js';
import { createDataSource } from './data-source.js';
import { pendingMigrations } from './pending-migrations.js';
import { LOCK_NOT_AVAILABLE, sqlStateOf } from './sql-state.js';

/** Any number that no other program on the database uses: "w3k" in hexadecimal. */
const MIGRATION_LOCK = 0x77336b;
const LOCK_TIMEOUT_MS = 25_000;
/** While many processes start on a machine, each may be without its turn for seconds. */
const LIMITS = { lockTimeoutMs: LOCK_TIMEOUT_MS, idleInTransactionMs: LOCK_TIMEOUT_MS };
/** SQLSTATEs of what is there already, or is otherwise than it should be: names and types, of which no value is told. */
const SCHEMA_CONFLICT = /^42(P07|710|P01|703|704|804|809|883)$/;

/** The migrations' own numbers, where a database was restored without what they had come to. */
const ADVANCE_SEQUENCE = `SELECT setval(pg_get_serial_sequence('migrations', 'id'), max(id)) FROM migrations HAVING max(id) > 0`;

/**
 * Runs the migrations that are not in yet, on a connection of its own, where they may take as long as they do.
 *
 * All are one transaction, and its lock lets in one process at a time: behind a pooler, what a session locks stays locked
 * when its process is gone. Those that come later find nothing left to do, and no lock to wait for.
 *
 * @returns the names of the migrations that this call ran
 * @throws StartError if others held a lock that it needs for too long
 */
export async function migrate(location: DatabaseLocation): Promise<string[]> {
  // TypeORM's other loggers print what fails in lines of their own, which are no JSON, beside those that tell it here
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
      `The migrations waited ${LOCK_TIMEOUT_MS / 1_000} s for a lock that another session of the database holds: ` +
        'a process that is migrating it, or a transaction that is open (see pg_stat_activity and pg_locks).',
    );
  if (!SCHEMA_CONFLICT.test(String(state))) return undefined;
  return new StartError(
    `The migrations do not fit what is in the database (${(error as Error).message}). If these tables are another ` +
      "program's, give this service a database, or a schema, of its own.",
    { cause: error },
  );
}

async function runPending(dataSource: DataSource, runner: QueryRunner): Promise<string[]> {
  await runner.startTransaction();
  const lock = runner.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
  await startStep('the lock of the migrations, which another process holds', lock);
  if (await runner.hasTable('migrations')) await runner.query(ADVANCE_SEQUENCE);
  const migrations = new MigrationExecutor(dataSource, runner).executePendingMigrations();
  const done = await startStep('its migrations of the database', migrations, true);
  await runner.commitTransaction();
  return done.map(({ name }) => name);
}
