import { DataSource } from 'typeorm';
import { AddCascades1764420000000 } from './migrations/1764420000000-add-cascades.js';
import { AddExpiryIndex1764550000000 } from './migrations/1764550000000-add-expiry-index.js';
import { AddKeyLife1764300000000 } from './migrations/1764300000000-add-key-life.js';
import { AddSecretSigners1764540000000 } from './migrations/1764540000000-add-secret-signers.js';
import type { DatabaseLocation } from '../config/environment.js';
import { CreateApiKeys1764000000000 } from './migrations/1764000000000-create-api-keys.js';
import { connectionOptions, SafeClient } from './safe-client.js';
import { AddKeyLimits1764200000000 } from './migrations/1764200000000-add-key-limits.js';
import { CreateKeyChanges1764100000000 } from './migrations/1764100000000-create-key-changes.js';

/** How a pool of connections is used. */
export interface PoolSettings {
  /** At most so many connections. */
  size: number;
  /** How long a query may take here; the server gives up a little earlier, so that its side of it does not stay. */
  queryTimeoutMs: number;
  lockTimeoutMs: number;
  /** See `StatementLimits`. */
  idleInTransactionMs?: number;
}

/** The classes that rows are mapped to. */
export type Entities = readonly (new () => object)[];

/**
 * The one definition of the database: what the service, the tests and TypeORM's own commands use.
 *
 * @param entities none where SQL alone is run, such as migrations
 * @param settings without them, a statement takes as long as it likes, as migrations do
 */
export function createDataSource(
  location: DatabaseLocation,
  entities: Entities = [],
  { size = 10, queryTimeoutMs: queryTimeoutMs = 0, lockTimeoutMs = 0, idleInTransactionMs }: Partial<PoolSettings> = {},
): DataSource {
  const limits = { statementTimeoutMs: queryTimeoutMs * 0.9, lockTimeoutMs, idleInTransactionMs };
  const { application_name: applicationName, ...connection } = connectionOptions(location, limits);
  return new DataSource({
    type: 'postgres',
    // The rest of how to connect is in `extra`, which goes to pg as it is
    database: String(connection.database),
    entities: [...entities],
    migrations: [
      CreateApiKeys1764000000000,
      CreateKeyChanges1764100000000,
      AddKeyLimits1764200000000,
      AddKeyLife1764300000000,
      AddCascades1764420000000,
      AddSecretSigners1764540000000,
      AddExpiryIndex1764550000000,
    ],
    migrationsTransactionMode: 'each',
    installExtensions: false,
    applicationName: String(applicationName),
    poolSize: size,
    connectTimeoutMS: 3_000,
    extra: { ...connection, Client: SafeClient, queryTimeoutMs },
  });
}
