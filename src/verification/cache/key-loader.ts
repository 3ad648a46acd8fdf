import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { ApiKey } from '../../api-keys/api-key.entity.js';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { Database } from '../../database/database.js';
import { VERIFICATION_POOL } from '../../database/database.module.js';
import { HedgedConnection, READ_LIMITS } from '../../database/hedged-connection.js';
import type { SafeClient } from '../../database/safe-client.js';
import { BatchedReads } from './batched-reads.js';

/** For how long one refused connection counts for other reads too: at most a fifth of the bound. */
const REFUSAL_TTL_MS = 1_000;

/** Loads the records of keys, of any owner, in batches, over a connection that is used for nothing else. */
@Injectable()
export class KeyLoader implements OnApplicationShutdown {
  private readonly connection: HedgedConnection;
  private readonly reads = new BatchedReads((apiKeys) => this.connection.run((client) => this.find(client, apiKeys)));

  constructor(
    @Inject(VERIFICATION_POOL) private readonly pool: DataSource,
    database: Database,
    @Inject(ENVIRONMENT) { revocationBoundMs }: Environment,
  ) {
    const refusalTtlMs = Math.min(REFUSAL_TTL_MS, revocationBoundMs / 5);
    this.connection = new HedgedConnection(() => database.dedicated(READ_LIMITS), refusalTtlMs);
  }

  onApplicationShutdown(): void {
    this.connection.close();
  }

  /** Whether the network or the server refused a connection just now. */
  get isDatabaseRefused(): boolean {
    return this.connection.isRefused;
  }

  /** Whether the database was found unavailable just now: it refused a connection, or has been silent. */
  get isDatabaseUnavailable(): boolean {
    return this.connection.isUnavailable;
  }

  /**
   * The current record without its metadata, which no verdict needs; `null` if there is none.
   *
   * @throws DatabaseUnavailableError; whatever else the database throws
   */
  load(apiKey: string): Promise<ApiKey | null> {
    return this.reads.read(apiKey);
  }

  /** In any order; keys that do not exist are missing. */
  async find(client: SafeClient, apiKeys: readonly string[]): Promise<ApiKey[]> {
    const columns = this.columns;
    const names = columns.map(({ databaseName }) => databaseName).join(', ');
    const { rows } = await client.query(`SELECT ${names} FROM api_keys WHERE api_key = ANY($1)`, [apiKeys]);
    return (rows as Record<string, unknown>[]).map((row) => {
      const key = new ApiKey();
      for (const column of columns) {
        column.setEntityValue(key, this.pool.driver.prepareHydratedValue(row[column.databaseName], column));
      }
      return key;
    });
  }

  private get columns() {
    return this.pool.getMetadata(ApiKey).columns.filter(({ propertyName }) => propertyName !== 'metadata');
  }
}
