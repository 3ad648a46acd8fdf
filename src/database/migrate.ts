import type { DataSource } from 'typeorm';

/** Any number that no other program on the database uses: "w3k" in hexadecimal. */
const MIGRATION_LOCK = 0x77336b;

/**
 * Runs the migrations that are not in yet. Processes that start together take turns by an advisory
 * lock; those that come later find nothing left to do.
 *
 * @returns the names of the migrations that this call ran
 */
export async function migrate(dataSource: DataSource): Promise<string[]> {
  const lock = dataSource.createQueryRunner();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const migrations = await dataSource.runMigrations();
    return migrations.map(({ name }) => name);
  } finally {
    await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await lock.release();
  }
}
