import { Injectable } from '@nestjs/common';
import { Any, type EntityManager, type FindOptionsWhere, IsNull } from 'typeorm';
import { AuditTrail } from '../audit/audit-trail.js';
import { OPERATOR, type Origin } from '../audit/origin.js';
import { Clock } from '../config/clock.js';
import { ApiKey, type RevokedReason } from './api-key.entity.js';
import type { Caller } from './caller.js';
import { ApiKeyNotFoundError } from './errors.js';
import { KeyChanges } from './key-changes.js';
import { countLiveKeys } from './live-keys.js';

/**
 * All keys that one has issued, and those that they have issued, and so on, as far as they are not revoked yet. They
 * are held in the order of their ids, as by every statement, so that none waits for another for ever.
 */
const DESCENDANTS = `
  WITH RECURSIVE issued AS (
    SELECT id FROM api_keys WHERE issued_by = $1 AND owner_id = $2
    UNION
    SELECT child.id FROM api_keys AS child JOIN issued ON child.issued_by = issued.id WHERE child.owner_id = $2
  )
  SELECT id FROM api_keys WHERE id IN (SELECT id FROM issued) AND revoked_at IS NULL ORDER BY id FOR UPDATE`;

/** Ends keys for good. The rows stay until they are purged, and can still be read. */
@Injectable()
export class Revocations {
  constructor(
    private readonly keyChanges: KeyChanges,
    private readonly auditTrail: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /**
   * Revokes a key and, if asked to, all that it has issued, however deep.
   *
   * @returns how many keys were revoked
   * @throws ApiKeyNotFoundError unless the key is this owner's and not revoked yet
   */
  revoke({ ownerId, origin }: Caller, id: string, { cascade = false } = {}): Promise<number> {
    return this.keyChanges.transaction(async (tx) => {
      await this.auditTrail.hold(tx, ownerId);
      const changed = await this.revokeWhere(tx, { id, ownerId }, 'deleted', origin);
      if (changed.length === 0) throw new ApiKeyNotFoundError(id);
      if (cascade) changed.push(...(await this.revokeDescendants(tx, id, ownerId, origin)));
      return { result: changed.length, changed };
    });
  }

  /**
   * For operators, and for whoever shows its secret: revokes the key of whatever owner.
   *
   * @returns whether there was such a key that was not revoked yet
   */
  revokeByApiKey(apiKey: string, reason: RevokedReason = 'operator', origin: Origin = OPERATOR): Promise<boolean> {
    return this.keyChanges.transaction(async (tx) => {
      const key = await tx.findOne(ApiKey, { select: { ownerId: true }, where: { apiKey } });
      if (!key) return { result: false, changed: [] };
      await this.auditTrail.hold(tx, key.ownerId);
      const changed = await this.revokeWhere(tx, { apiKey }, reason, origin);
      return { result: changed.length > 0, changed };
    });
  }

  /** None is issued meanwhile: whoever would issue one has to hold the owner first. */
  private async revokeDescendants(tx: EntityManager, id: string, ownerId: string, origin: Origin): Promise<string[]> {
    const rows = (await tx.query(DESCENDANTS, [id, ownerId])) as { id: string }[];
    return this.revokeWhere(tx, { id: Any(rows.map((row) => row.id)), ownerId }, 'cascade', origin);
  }

  /** @returns the `api_key` of each key that was revoked by it; all are one owner's */
  private async revokeWhere(
    tx: EntityManager,
    which: FindOptionsWhere<ApiKey>,
    reason: RevokedReason,
    origin: Origin,
  ): Promise<string[]> {
    const now = new Date(this.clock.now());
    const columns = { revokedAt: now, updatedAt: now, revokedReason: reason, previousSecretHash: null };
    const update = tx
      .createQueryBuilder()
      .update(ApiKey)
      .set({ ...columns, version: () => 'version + 1' });
    const { raw } = await update
      .where({ ...which, revokedAt: IsNull() })
      .returning('id, owner_id, api_key')
      .execute();
    const rows = raw as { id: string; owner_id: string; api_key: string }[];
    const [first] = rows;
    if (!first) return [];
    const events = rows.map((row) => ({ action: 'key.revoked', apiKeyId: row.id, changes: { reason } }));
    await this.auditTrail.record(tx, first.owner_id, origin, events);
    await countLiveKeys(tx, first.owner_id, -rows.length);
    return rows.map((row) => row.api_key);
  }
}
