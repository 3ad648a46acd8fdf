import { readEnvFile } from './src/config/env-file.js';
import { loadEnvironment } from './src/configuration.js';
import { createDataSource } from './src/database/data-source.js';
import { ENTITIES } from './src/entities.js';
import { EmbeddedPostgres } from './src/database/embedded-postgres.js';
import { databaseName } from './src/operations/lifecycle/database-failure.js';

/** What TypeORM's own commands work on: the same definition and the same database as the service, which has to be there. */
readEnvFile();
const { database } = loadEnvironment(process.env, 'invent');
process.stderr.write(`Database: ${databaseName(database)}\n`);
if ('dataDir' in database) await EmbeddedPostgres.start(database.dataDir, false);

export default createDataSource(database, ENTITIES);
