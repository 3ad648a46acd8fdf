import { DataSource } from 'typeorm';
import { ApiKey } from '../api-keys/api-key.entity.js';
import { KeyChange } from '../api-keys/key-change.entity.js';
import type { DatabaseLocation } from '../config/environment.js';
import { CreateApiKeys1764000000000 } from './migrations/1764000000000-create-api-keys.js';
import { CreateKeyChanges1764100000000 } from './migrations/1764100000000-create-key-changes.js';

/** The one definition of the database: what the service, the tests and TypeORM's own commands use. */
export function createDataSource(location: DatabaseLocation): DataSource {
  return new DataSource({
    type: 'postgres',
    ...('url' in location ? { url: location.url } : embedded(location.dataDir)),
    entities: [ApiKey, KeyChange],
    migrations: [CreateApiKeys1764000000000, CreateKeyChanges1764100000000],
    migrationsTransactionMode: 'each',
    installExtensions: false,
    applicationName: 'w3ipfs-api-keys',
    poolSize: 10,
    connectTimeoutMS: 3_000,
  });
}

function embedded(dataDir: string) {
  return { host: dataDir, port: 5432, username: 'postgres', database: 'postgres' };
}
