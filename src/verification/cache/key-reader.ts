import { Inject, Injectable } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { ApiKey } from '../../api-keys/api-key.entity.js';
import { VERIFICATION_POOL } from '../../database/database.module.js';
import type { SafeClient } from '../../database/safe-client.js';

/** The records of keys, of whatever owner, as verification reads them. */
@Injectable()
export class KeyReader {
  constructor(@Inject(VERIFICATION_POOL) private readonly pool: DataSource) {}

  /** Those that there are, in any order, without their metadata, which no verdict needs. */
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

  /** Stores the same secret's hash under new parameters, unless the hash has changed meanwhile. */
  async replaceHash({ id, secretHash }: ApiKey, renewedHash: string): Promise<void> {
    await this.pool.getRepository(ApiKey).update({ id, secretHash }, { secretHash: renewedHash });
  }

  private get columns() {
    return this.pool.getMetadata(ApiKey).columns.filter(({ propertyName }) => propertyName !== 'metadata');
  }
}
