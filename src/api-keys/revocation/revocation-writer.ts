import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../audit/audit-trail.js';
import type { AuditSource } from '../../principals/audit-source.js';
import type { RevokedReason } from '../api-key.entity.js';
import { adjustLiveKeys } from '../../owners/live-keys.js';
import type { UnitOfWork } from '../invalidation/unit-of-work.js';

/**
 * Rows are locked in id order, as everywhere, to avoid deadlocks. The time is the database's, by which rows are purged.
 * `CASE` forces the index of the ids: with outdated statistics the planner may prefer another one, and each batch would
 * read all of the owner's keys.
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
  source: AuditSource;
}

/** Writes revocations: the rows, their audit events and the number of live keys. The owner is locked already. */
@Injectable()
export class RevocationWriter {
  constructor(private readonly auditTrail: AuditTrail) {}

  /** @returns how many keys were not revoked before */
  async write(uow: UnitOfWork, { ownerId, ids, reason, source }: Revocation): Promise<number> {
    const [rows] = (await uow.tx.query(REVOKE, [ids, ownerId, reason])) as [{ id: string; api_key: string }[]];
    if (rows.length === 0) return 0;
    const events = rows.map((row) => ({ action: 'key.revoked' as const, apiKeyId: row.id, changes: { reason } }));
    await this.auditTrail.record(uow.tx, ownerId, source, events);
    await adjustLiveKeys(uow.tx, ownerId, -rows.length);
    const identifiers = rows.map((row) => row.api_key);
    // Descendants have been refused since their cascade began
    if (reason === 'cascade') uow.invalidateQuietly(...identifiers);
    else uow.invalidate(...identifiers);
    return rows.length;
  }
}
