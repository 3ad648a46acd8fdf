import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { OPERATOR, type AuditSource } from '../principals/audit-source.js';
import { cascadeAnnouncement } from './invalidation/announcements.js';
import { ApiKey, type RevokedReason } from './api-key.entity.js';
import type { Caller } from '../principals/caller.js';
import { Cascades, type CascadeProgress } from './cascades/cascades.js';
import { assertVersion } from './errors.js';
import { KeyChanges } from './invalidation/key-invalidations.js';
import { KeyLocks } from './key-locks.js';
import { lockOwner } from '../owners/owner-lock.js';
import { RevocationWriter } from './revocation-writer.js';

interface RevokeOptions {
  cascade?: boolean;
  /** Those that the key may be at; `undefined` for any. */
  versions?: readonly number[] | undefined;
}

/** Ends keys for good. The rows stay until they are purged, and can still be read. */
@Injectable()
export class Revocations {
  constructor(
    private readonly keyChanges: KeyChanges,
    private readonly locks: KeyLocks,
    private readonly writer: RevocationWriter,
    private readonly cascades: Cascades,
    private readonly dataSource: DataSource,
  ) {}

  /**
   * Revokes a key and, if asked to, all that it has issued, however deep: these are refused from the answer on, though
   * not all of their rows may be written by then.
   *
   * @throws ApiKeyNotFoundError unless the key is this owner's and not revoked yet; PreconditionFailedError; ApiError if
   *   the caller may no longer change keys
   */
  async revoke(
    caller: Caller,
    id: string,
    { cascade = false, versions }: RevokeOptions = {},
  ): Promise<CascadeProgress> {
    const { ownerId, origin } = caller;
    const hasDescendants = await this.keyChanges.transaction(ownerId, async (tx) => {
      await lockOwner(tx, ownerId);
      const { target } = await this.locks.lock(tx, caller, id);
      assertVersion(target, versions);
      const changed = await this.writer.write(tx, { ownerId, ids: [id], reason: 'deleted', origin });
      const isBegun = cascade && (await this.cascades.begin(tx, { rootId: id, ownerId, origin }));
      if (isBegun) changed.push(cascadeAnnouncement(ownerId));
      return { result: isBegun, changed };
    });
    if (!hasDescendants) return { revoked: 1, isComplete: true };
    return this.cascades.run({ rootId: id, ownerId, origin });
  }

  /**
   * For operators, and for whoever shows its secret: revokes the key of whatever owner.
   *
   * @returns whether there was such a key that was not revoked yet
   */
  async revokeByApiKey(
    apiKey: string,
    reason: RevokedReason = 'operator',
    origin: AuditSource = OPERATOR,
  ): Promise<boolean> {
    const key = await this.dataSource.getRepository(ApiKey).findOneBy({ apiKey });
    // Whoever asks again and again opens no transaction, and waits for nobody
    if (!key || key.revokedAt) return false;
    const { id, ownerId } = key;
    return this.keyChanges.transaction(ownerId, async (tx) => {
      await lockOwner(tx, ownerId);
      const changed = await this.writer.write(tx, { ownerId, ids: [id], reason, origin });
      return { result: changed.length > 0, changed };
    });
  }
}
