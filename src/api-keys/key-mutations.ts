import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { AuditAction } from '../audit/audit-actions.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { ApiKey } from './api-key.entity.js';
import type { Caller } from '../principals/caller.js';
import { assertVersion } from './errors.js';
import { type Changed, KeyChanges } from './invalidation/key-invalidations.js';
import { KeyLocks } from './key-locks.js';
import { lockOwner } from '../owners/owner-lock.js';

/** What a key becomes, and what the audit trail says of it. */
interface KeyMutation {
  action: AuditAction;
  changes?: Record<string, unknown>;
  columns: Partial<ApiKey>;
}

/** What is to be changed, and how. */
interface MutationRequest {
  id: string;
  /** Those that the key may be at; `undefined` for any. */
  versions?: readonly number[] | undefined;
  /**
   * @param caller the key that the caller calls with, as it is now; `null` for a session
   * @returns `null` where nothing is to be changed
   */
  decide: (target: ApiKey, caller: ApiKey | null, now: number) => KeyMutation | null;
  /** What is to be done in the same transaction. */
  alongside?: (tx: EntityManager, target: ApiKey) => Promise<void> | undefined;
}

/** Changes single keys. */
@Injectable()
export class KeyMutations {
  constructor(
    private readonly keyChanges: KeyChanges,
    private readonly locks: KeyLocks,
    private readonly auditTrail: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /**
   * Locks an unrevoked key of the owner, applies `decide`, and writes the record with its audit event, if anything changes.
   *
   * @throws ApiKeyNotFoundError, PreconditionFailedError; ApiError if the caller may no longer change keys
   */
  apply(caller: Caller, request: MutationRequest): Promise<ApiKey> {
    return this.keyChanges.transaction(caller.ownerId, async (tx) => {
      await lockOwner(tx, caller.ownerId);
      return this.write(tx, caller, request);
    });
  }

  /** That the caller may change keys at this moment, for what changes none. @throws ApiError */
  assertAllowed(caller: Caller): Promise<void> {
    return this.locks.assertMayManage(caller);
  }

  private async write(
    tx: EntityManager,
    caller: Caller,
    { id, versions, decide, alongside }: MutationRequest,
  ): Promise<Changed<ApiKey>> {
    const { ownerId, origin } = caller;
    const { target, caller: callingKey } = await this.locks.lock(tx, caller, id);
    assertVersion(target, versions);
    const now = this.clock.now();
    const mutation = decide(target, callingKey, now);
    if (mutation === null) return { result: target, changed: [] };
    const { action, changes = {}, columns } = mutation;
    const all = { ...columns, version: target.version + 1, updatedAt: new Date(now) };
    await tx.update(ApiKey, { id: target.id, ownerId }, all);
    await this.auditTrail.record(tx, ownerId, origin, [{ action, apiKeyId: target.id, changes }]);
    const changed = Object.assign(target, all);
    await alongside?.(tx, changed);
    return { result: changed, changed: [changed.apiKey] };
  }
}
