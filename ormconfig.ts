import { readEnvFile } from './src/config/env-file.js';
import { loadEnvironment } from './src/configuration.js';
import { createDataSource } from './src/database/data-source.js';
import { ENTITIES } from './src/entities.js';
import { EmbeddedPostgres } from './src/database/embedded-postgres.js';
import { databaseName } from './src/operations/lifecycle/database-failure.js';

/** The data source of TypeORM's own commands: the definition and database of the service, which must exist. */
readEnvFile();
const { database } = loadEnvironment(process.env, 'ephemeral');
process.stderr.write(`Database: ${databaseName(database)}\n`);
if ('dataDir' in database) await EmbeddedPostgres.start(database.dataDir, false);

export default createDataSource(database, ENTITIES);
