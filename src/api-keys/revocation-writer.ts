import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditTrail } from '../audit/audit-trail.js';
import type { AuditSource } from '../principals/audit-source.js';
import type { RevokedReason } from './api-key.entity.js';
import { adjustLiveKeys } from '../owners/live-keys.js';

/**
 * Locks the rows in the order of their ids, as everywhere, so that no two wait for each other. The time is the
 * database's, by which rows are purged. `CASE` keeps to the index of the ids: by another one, which statistics from before
 * many keys were issued may prefer, each batch would read all of the owner's keys.
 */
const REVOKE = `
  WITH locked AS (
    SELECT id FROM api_keys
    WHERE id = ANY($1::uuid[]) AND CASE WHEN owner_id = $2 THEN revoked_at IS NULL ELSE FALSE END
    ORDER BY id FOR UPDATE
  )
  UPDATE api_keys AS key
  SET revoked_at = now(), updated_at = now(), revoked_reason = $3,
    previous_secret_hash = NULL, previous_secret_signed_by = NULL, version = key.version + 1
  FROM locked WHERE key.id = locked.id
  RETURNING key.id, key.api_key`;

interface Revocation {
  ownerId: string;
  ids: string[];
  reason: RevokedReason;
  origin: AuditSource;
}

/** Writes that keys are revoked, with all that belongs to it; the owner is locked already. */
@Injectable()
export class RevocationWriter {
  constructor(private readonly auditTrail: AuditTrail) {}

  /** @returns the `api_key` of each key that was not revoked before */
  async write(tx: EntityManager, { ownerId, ids, reason, origin }: Revocation): Promise<string[]> {
    const [rows] = (await tx.query(REVOKE, [ids, ownerId, reason])) as [{ id: string; api_key: string }[]];
    if (rows.length === 0) return [];
    const events = rows.map((row) => ({ action: 'key.revoked' as const, apiKeyId: row.id, changes: { reason } }));
    await this.auditTrail.record(tx, ownerId, origin, events);
    await adjustLiveKeys(tx, ownerId, -rows.length);
    return rows.map((row) => row.api_key);
  }
}
