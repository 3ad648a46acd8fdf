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

/** The limits of a connection pool. */
export interface PoolSettings {
  /** Maximum number of connections. */
  size: number;
  /** Client-side timeout of a query; the server's is a little shorter, so that it cancels the statement first. */
  queryTimeoutMs: number;
  lockTimeoutMs: number;
  /** See `StatementLimits`. */
  idleInTransactionMs?: number;
}

/** The entity classes of rows. */
export type Entities = readonly (new () => object)[];

/**
 * The only definition of the database, for the service, the tests and TypeORM's own commands.
 *
 * @param entities none if only SQL is run, such as migrations
 * @param settings by default, statements have no timeout, as migrations require
 */
export function createDataSource(
  location: DatabaseLocation,
  entities: Entities = [],
  { size = 10, queryTimeoutMs = 0, lockTimeoutMs = 0, idleInTransactionMs }: Partial<PoolSettings> = {},
): DataSource {
  const limits = { statementTimeoutMs: queryTimeoutMs * 0.9, lockTimeoutMs, idleInTransactionMs };
  const { application_name: applicationName, ...connection } = connectionOptions(location, limits);
  return new DataSource({
    type: 'postgres',
    // The other connection options are in `extra`, which TypeORM passes to pg
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
