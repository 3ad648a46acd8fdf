import { type DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import { StartError } from '../config/start-error.js';

/**
 * The migrations that are not in yet.
 *
 * @throws what the server says where the role may not read which there are
 */
export async function pendingMigrations(dataSource: DataSource, runner?: QueryRunner) {
  const pending = await new MigrationExecutor(dataSource, runner).getPendingMigrations();
  if (isEmptySchema(pending, dataSource)) await assertReadable(runner ?? dataSource);
  return pending;
}

/** Changes nothing, not even to note that it looked. @throws StartError if the schema is not that of this version */
export async function assertMigrated(dataSource: DataSource): Promise<void> {
  const pending = await pendingMigrations(dataSource);
  if (pending.length === 0) return;
  const finding = isEmptySchema(pending, dataSource)
    ? 'The database has nothing of this service in it. If it is the right one, make its schema'
    : `The database's schema is older than this version (${pending.map(({ name }) => name).join(', ')} missing). Update it`;
  throw new StartError(`${finding}: npm run keys -- migrate`);
}

function isEmptySchema(pending: readonly unknown[], { migrations }: DataSource): boolean {
  return pending.length === migrations.length;
}

/** A table that a role has no right on is not in its information_schema, where TypeORM looks: it seems not to be there. */
async function assertReadable(on: Pick<DataSource, 'query'>): Promise<void> {
  const [found] = await on.query<{ exists: boolean }[]>(`SELECT to_regclass('migrations') IS NOT NULL AS "exists"`);
  if (found?.exists) await on.query('SELECT FROM migrations LIMIT 0');
}
