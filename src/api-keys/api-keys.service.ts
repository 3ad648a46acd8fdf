import { Injectable } from '@nestjs/common';
import { DataSource, type Repository } from 'typeorm';
import { OwnerReads } from '../owners/owner-reads.js';
import type { Caller } from '../principals/caller.js';
import { ApiKey } from './api-key.entity.js';
import { ApiKeyNotFoundError } from './errors.js';
import { assertMayGrant, assertNotOwnRights } from './escalation.js';
import { ExactUses } from './exact-uses.js';
import { KeyTransactions } from './invalidation/key-transactions.js';
import { type Decide, KeyMutations, type MutationTarget } from './key-mutations.js';
import { applyPatch, diff, type KeyPatch, withoutUnchanged } from './key-patch.js';

/** Reads and updates keys, always within those of one owner. */
@Injectable()
export class ApiKeysService {
  private readonly keys: Repository<ApiKey>;

  constructor(
    private readonly transactions: KeyTransactions,
    private readonly mutations: KeyMutations,
    private readonly exactUses: ExactUses,
    private readonly reads: OwnerReads,
    dataSource: DataSource,
  ) {
    this.keys = dataSource.getRepository(ApiKey);
  }

  /** @returns `null` unless the key is this owner's */
  find(ownerId: string, id: string): Promise<ApiKey | null> {
    return this.keys.findOneBy({ id, ownerId });
  }

  /** @throws ApiKeyNotFoundError unless the key is this owner's; a revoked one can still be read */
  async get(ownerId: string, id: string): Promise<ApiKey> {
    const key = await this.find(ownerId, id);
    if (!key) throw new ApiKeyNotFoundError(id);
    return key;
  }

  /** `get()` in the owner's turn. @throws as `get()`; UnavailableError if too many reads of the owner wait */
  read(ownerId: string, id: string): Promise<ApiKey> {
    return this.reads.run(ownerId, () => this.get(ownerId, id));
  }

  /**
   * Applies a patch. One that changes nothing writes nothing: the version stays, and no event is recorded.
   *
   * @throws ApiKeyNotFoundError, PreconditionFailedError; ExceedsIssuerError if the caller's key would give more than it
   *   has, or itself more rights; ValidationError if a date has passed, or no time would be left to use the key
   */
  async update(caller: Caller, id: string, patch: KeyPatch, versions?: MutationTarget['versions']): Promise<ApiKey> {
    const target = { id, versions };
    const decide: Decide = (key, callingKey) => decideUpdate(key, callingKey, patch);
    if (typeof patch.limits?.maxUses === 'number') await this.prepareForMaxUses(caller, target, decide);
    return this.mutate(caller, target, decide);
  }

  /** That the caller may change keys at this moment. @throws ApiError */
  assertStillAllowed(caller: Caller): Promise<void> {
    return this.mutations.assertAllowed(caller);
  }

  /**
   * Uses so far were counted in memory: they are written first, since they count against the new limit. That takes seconds,
   * so a change that is refused is refused before.
   */
  private async prepareForMaxUses(caller: Caller, target: MutationTarget, decide: Decide): Promise<void> {
    const key = await this.mutate(caller, target, (...state) => (decide(...state), null));
    if (key.maxUses === null) await this.exactUses.begin(key);
  }

  private mutate(caller: Caller, target: MutationTarget, decide: Decide): Promise<ApiKey> {
    return this.transactions.run(caller.ownerId, (uow) => this.mutations.apply(uow, caller, target, decide));
  }
}

function decideUpdate(key: ApiKey, callingKey: ApiKey | null, patch: KeyPatch) {
  const changing = withoutUnchanged(key, patch);
  if (Object.keys(changing).length === 0) return null;
  if (callingKey?.id === key.id) assertNotOwnRights(changing);
  const updated = applyPatch(key, changing);
  if (callingKey && callingKey.id !== key.id) {
    assertMayGrant(changing, key.limits, updated.limits, callingKey.limits);
  }
  return { action: 'key.updated' as const, changes: diff(key, updated), columns: updated.columns };
}
