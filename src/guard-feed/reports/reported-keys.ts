import { Inject, Injectable } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { digestInSql } from '../../api-keys/credentials/hash-digest.js';
import { VERIFICATION_POOL } from '../../database/database.module.js';

const FIND = `
  SELECT k.id, ${digestInSql('k.previous_secret_hash')} AS "previousSecretHash", k.max_uses IS NOT NULL AS "hasMaxUses"
  FROM api_keys AS k WHERE k.id = ANY($1::uuid[])`;

export interface ReportedKey {
  id: string;
  /** The digest of the stored hash (`hash-digest.ts`); `null` without a previous secret. */
  previousSecretHash: string | null;
  hasMaxUses: boolean;
}

/** Finds the keys that reports name. */
@Injectable()
export class ReportedKeys {
  constructor(@Inject(VERIFICATION_POOL) private readonly dataSource: DataSource) {}

  /** By id; keys that do not exist are missing. @throws the database's errors */
  async find(ids: readonly string[]): Promise<Map<string, ReportedKey>> {
    const rows = await this.dataSource.query<ReportedKey[]>(FIND, [[...new Set(ids)]]);
    return new Map(rows.map((key) => [key.id, key]));
  }
}
