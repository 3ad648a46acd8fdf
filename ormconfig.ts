import { loadEnvironment } from './src/config/environment.js';
import { createDataSource } from './src/database/data-source.js';
import { EmbeddedPostgres } from './src/database/embedded-postgres.js';

/** What TypeORM's own commands work on: the same definition and the same database as the service. */
const { database } = loadEnvironment(process.env);
if ('dataDir' in database) await EmbeddedPostgres.start(database.dataDir);

export default createDataSource(database);
