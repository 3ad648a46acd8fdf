import type { DatabaseLocation } from '../config/environment.js';
import { createDataSource } from './data-source.js';

/** Any number that no other program on the database uses: "w3k" in hexadecimal. */
const MIGRATION_LOCK = 0x77336b;

/**
 * Runs the migrations that are not in yet, on a connection of its own, where they may take as long as they do.
 * Processes that start together on a server take turns by an advisory lock; those that come later find nothing
 * left to do. The embedded database is its one process's, and there the lock has nobody to keep out.
 *
 * @returns the names of the migrations that this call ran
 */
export async function migrate(location: DatabaseLocation): Promise<string[]> {
  const dataSource = await createDataSource(location).initialize();
  try {
    const lock = dataSource.createQueryRunner();
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const migrations = await dataSource.runMigrations();
    await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    await lock.release();
    return migrations.map(({ name }) => name);
  } finally {
    // Ends the connections, and with them a lock that is still held
    await dataSource.destroy();
  }
}
