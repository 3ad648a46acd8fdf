import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { lockOwner } from '../../owners/owner-lock.js';
import type { AuditSource } from '../../principals/audit-source.js';
import type { Caller } from '../../principals/caller.js';
import { ApiKey, type RevokedReason } from '../api-key.entity.js';
import { Cascades, type CascadeProgress } from '../cascades/cascades.js';
import { assertVersion } from '../errors.js';
import { cascadeAnnouncement } from '../invalidation/announcements.js';
import { KeyTransactions } from '../invalidation/key-transactions.js';
import { KeyLocks } from '../key-locks.js';
import { RevocationWriter } from './revocation-writer.js';

interface RevokeOptions {
  cascade?: boolean;
  /** The versions that the key may have (`If-Match`); `undefined` for any. */
  versions?: readonly number[] | undefined;
}

/** Revokes keys for good. Their rows can still be read until they are purged. */
@Injectable()
export class Revocations {
  constructor(
    private readonly transactions: KeyTransactions,
    private readonly locks: KeyLocks,
    private readonly writer: RevocationWriter,
    private readonly cascades: Cascades,
    private readonly dataSource: DataSource,
  ) {}

  /**
   * Revokes a key and, with `cascade`, all of its descendants: these are refused once this returns, though not all of
   * their rows may be written by then.
   *
   * @throws ApiKeyNotFoundError unless the key is this owner's and not revoked yet; PreconditionFailedError; ApiError if
   *   the caller may no longer change keys
   */
  async revoke(
    caller: Caller,
    id: string,
    { cascade = false, versions }: RevokeOptions = {},
  ): Promise<CascadeProgress> {
    const { ownerId, source } = caller;
    const hasDescendants = await this.transactions.run(ownerId, async (uow) => {
      await lockOwner(uow.tx, ownerId);
      const { target } = await this.locks.lock(uow.tx, caller, id);
      assertVersion(target, versions);
      await this.writer.write(uow, { ownerId, ids: [id], reason: 'deleted', source });
      const isBegun = cascade && (await this.cascades.begin(uow.tx, { rootId: id, ownerId, source }));
      if (isBegun) uow.announce(cascadeAnnouncement(ownerId));
      return isBegun;
    });
    if (!hasDescendants) return { revoked: 1, isComplete: true };
    return this.cascades.run({ rootId: id, ownerId, source });
  }

  /**
   * Revokes a key of any owner, for an operator, or for a reporter who has proved to know its secret.
   *
   * @returns whether there was a key that was not revoked yet
   */
  async revokeByIdentifier(identifier: string, reason: RevokedReason, source: AuditSource): Promise<boolean> {
    const key = await this.dataSource.getRepository(ApiKey).findOneBy({ identifier });
    // Repeated calls open no transaction and wait for no lock
    if (!key || key.revokedAt) return false;
    const { id, ownerId } = key;
    return this.transactions.run(ownerId, async (uow) => {
      await lockOwner(uow.tx, ownerId);
      return (await this.writer.write(uow, { ownerId, ids: [id], reason, source })) > 0;
    });
  }
}
