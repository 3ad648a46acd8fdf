import { type DataSource, MigrationExecutor } from 'typeorm';
import { StartError } from '../config/start-error.js';

/** Changes nothing, not even to note that it looked. @throws StartError if the schema is not that of this version */
export async function refusePendingMigrations(dataSource: DataSource): Promise<void> {
  const pending = await new MigrationExecutor(dataSource).getPendingMigrations();
  if (pending.length === 0) return;
  const isEmpty = pending.length === dataSource.migrations.length;
  const finding = isEmpty
    ? 'The database has nothing of this service in it. If it is the right one, make its schema'
    : `The database's schema is older than this version (${pending.map(({ name }) => name).join(', ')} missing). Update it`;
  throw new StartError(`${finding}: npm run keys -- migrate`);
}
