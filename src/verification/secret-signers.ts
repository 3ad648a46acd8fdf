import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { summarizeError } from '../logging/describe-error.js';
import { VERIFICATION_POOL } from '../database/database.module.js';
import { WriteBehind } from '../background/write-behind.js';

/** Some 300 bytes each; secrets over the cap are recorded at their next check. */
const MAX_WAITING = 10_000;

/** The hash identifies the secret: a rotation may have replaced it. Locked rows are skipped, and returned for the next write. */
const RECORD = `
  WITH noted AS (
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[]) AS noted (hash, id, signer)
  ), locked AS (
    SELECT noted.* FROM api_keys AS k JOIN noted ON k.id = noted.id
    WHERE noted.hash IN (k.secret_hash, k.previous_secret_hash) ORDER BY k.id FOR NO KEY UPDATE OF k SKIP LOCKED
  ), touched AS (
    UPDATE api_keys AS k SET
      secret_signed_by = CASE WHEN k.secret_hash = locked.hash THEN locked.signer ELSE k.secret_signed_by END,
      previous_secret_signed_by =
        CASE WHEN k.previous_secret_hash = locked.hash THEN locked.signer ELSE k.previous_secret_signed_by END
    FROM locked WHERE k.id = locked.id RETURNING k.id
  )
  SELECT noted.hash FROM api_keys AS k JOIN noted ON k.id = noted.id
  WHERE noted.hash IN (k.secret_hash, k.previous_secret_hash) AND k.id NOT IN (SELECT id FROM touched)`;

/**
 * Records which of `CREDENTIAL_KEYS` signed a secret if its row, written by an earlier version, does not say so. The
 * signer is determined when the secret is checked by argon2 anyway. Write-behind: one statement a second for all of them.
 */
@Injectable()
export class SecretSigners implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(SecretSigners.name);
  /** By the stored hash of the secret. */
  private waiting = new Map<string, { id: string; signer: string }>();
  private readonly writer = new WriteBehind(() => this.write());

  constructor(@Inject(VERIFICATION_POOL) private readonly dataSource: DataSource) {}

  onModuleInit(): void {
    this.writer.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.writer.stop();
  }

  /** @param signer the fingerprint of the server key that signed the secret */
  record(id: string, secretHash: string, signer: string): void {
    if (this.waiting.size < MAX_WAITING) this.waiting.set(secretHash, { id, signer });
  }

  private async write(): Promise<void> {
    if (this.waiting.size === 0) return;
    const batch = this.waiting;
    const [hashes, rows] = [[...batch.keys()], [...batch.values()]];
    this.waiting = new Map();
    try {
      const parameters = [hashes, rows.map(({ id }) => id), rows.map(({ signer }) => signer)];
      for (const { hash } of await this.dataSource.query<{ hash: string }[]>(RECORD, parameters)) {
        const row = batch.get(hash);
        if (row) this.record(row.id, hash, row.signer);
      }
    } catch (error) {
      // Nothing is lost: the next process that checks these secrets determines the same signers
      this.logger.debug(`The signers of ${rows.length} secrets could not be recorded (${summarizeError(error)}).`);
    }
  }
}
