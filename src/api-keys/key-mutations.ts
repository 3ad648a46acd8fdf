import { Injectable } from '@nestjs/common';
import type { AuditAction } from '../audit/audit-actions.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { lockOwner } from '../owners/owner-lock.js';
import type { Caller } from '../principals/caller.js';
import { ApiKey } from './api-key.entity.js';
import { assertVersion } from './errors.js';
import type { UnitOfWork } from './invalidation/unit-of-work.js';
import { KeyLocks } from './key-locks.js';

/** The new columns of a key, and its audit event. */
interface KeyMutation {
  action: AuditAction;
  changes?: Record<string, unknown>;
  columns: Partial<ApiKey>;
}

export interface MutationTarget {
  id: string;
  /** The versions that the key may have (`If-Match`); `undefined` for any. */
  versions?: readonly number[] | undefined;
}

/**
 * @param callingKey the key that the caller authenticated with, as it is now; `null` for a session
 * @returns `null` if nothing changes
 */
export type Decide = (target: ApiKey, callingKey: ApiKey | null, now: number) => KeyMutation | null;

/** Changes single keys. */
@Injectable()
export class KeyMutations {
  constructor(
    private readonly locks: KeyLocks,
    private readonly auditTrail: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /**
   * Locks an unrevoked key of the owner, applies `decide`, and writes the record with its audit event.
   *
   * @returns the key as it is then
   * @throws ApiKeyNotFoundError, PreconditionFailedError; ApiError if the caller may no longer change keys
   */
  async apply(uow: UnitOfWork, caller: Caller, { id, versions }: MutationTarget, decide: Decide): Promise<ApiKey> {
    const { ownerId, source } = caller;
    await lockOwner(uow.tx, ownerId);
    const { target, callingKey } = await this.locks.lock(uow.tx, caller, id);
    assertVersion(target, versions);
    const now = this.clock.now();
    const mutation = decide(target, callingKey, now);
    if (mutation === null) return target;
    const { action, changes = {}, columns } = mutation;
    const written = { ...columns, version: target.version + 1, updatedAt: new Date(now) };
    await uow.tx.update(ApiKey, { id: target.id, ownerId }, written);
    await this.auditTrail.record(uow.tx, ownerId, source, [{ action, apiKeyId: target.id, changes }]);
    uow.invalidate(target.identifier);
    return Object.assign(target, written);
  }

  /** That the caller may change keys at this moment. @throws ApiError */
  assertAllowed(caller: Caller): Promise<void> {
    return this.locks.assertMayManage(caller);
  }
}
