import { type DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import { StartError } from '../config/start-error.js';

/**
 * The migrations that have not run yet.
 *
 * @throws the server's error if the role may not read the migrations table
 */
export async function pendingMigrations(dataSource: DataSource, runner?: QueryRunner) {
  const pending = await new MigrationExecutor(dataSource, runner).getPendingMigrations();
  if (isEmptySchema(pending, dataSource)) await assertReadable(runner ?? dataSource);
  return pending;
}

/** Read-only. @throws StartError if the schema is older than this version */
export async function assertMigrated(dataSource: DataSource): Promise<void> {
  const pending = await pendingMigrations(dataSource);
  if (pending.length === 0) return;
  const finding = isEmptySchema(pending, dataSource)
    ? 'The database does not have the tables of this service. If it is the right database, create them'
    : `The database's schema is older than this version (missing: ${pending.map(({ name }) => name).join(', ')}). Update it`;
  throw new StartError(`${finding}: npm run keys -- migrate`);
}

function isEmptySchema(pending: readonly unknown[], { migrations }: DataSource): boolean {
  return pending.length === migrations.length;
}

/** TypeORM reads information_schema, which hides tables that the role has no right on: here the server reports them. */
async function assertReadable(on: Pick<DataSource, 'query'>): Promise<void> {
  const [found] = await on.query<{ exists: boolean }[]>(`SELECT to_regclass('migrations') IS NOT NULL AS "exists"`);
  if (found?.exists) await on.query('SELECT FROM migrations LIMIT 0');
}
