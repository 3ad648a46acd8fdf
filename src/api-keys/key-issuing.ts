import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { type KeyLimits, NO_LIMITS } from '../principals/key-limits.js';
import { ApiKey, limitColumns, type Metadata, NEW_KEY } from './api-key.entity.js';
import type { Caller } from '../principals/caller.js';
import { LimitsDto } from './dto/limits.dto.js';
import { KeyLimitReachedError } from './errors.js';
import { inherit, assertWithin } from './escalation.js';
import { KeyChanges } from './invalidation/key-invalidations.js';
import { KeyLocks } from './key-locks.js';
import { assertUsableWindow } from './key-patch.js';
import { adjustLiveKeys } from '../owners/live-keys.js';
import { lockOrCreateOwner } from '../owners/owner-lock.js';
import type { GivenScopes } from '../principals/scopes.js';
import type { MintedPair } from './credentials/secret-mint.js';

export interface KeyRequest {
  name: string;
  scopes: GivenScopes;
  limits?: Partial<KeyLimits>;
  metadata?: Metadata;
}

/** Writes new keys of an owner, within what their issuer has and how many keys the owner may have. */
@Injectable()
export class KeyIssuing {
  constructor(
    private readonly keyChanges: KeyChanges,
    private readonly locks: KeyLocks,
    private readonly auditTrail: AuditTrail,
    private readonly clock: Clock,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  /**
   * Writes a key with its audit event, and whatever is to be done in the same transaction.
   *
   * @throws ExceedsIssuerError, KeyLimitReachedError; ValidationError if the key could never be used; ApiError if the
   *   caller may no longer issue keys
   */
  issue(
    caller: Caller,
    secret: MintedPair,
    request: KeyRequest,
    alongside: (tx: EntityManager, issued: ApiKey) => Promise<void> | undefined,
  ): Promise<ApiKey> {
    return this.keyChanges.transaction(caller.ownerId, async (tx) => {
      const liveKeys = await lockOrCreateOwner(tx, caller.ownerId);
      const issuer = await this.locks.lockCaller(tx, caller);
      const { maxKeysPerOwner } = this.environment;
      if (liveKeys >= maxKeysPerOwner) throw new KeyLimitReachedError(maxKeysPerOwner);
      const apiKey = this.newKey(caller.ownerId, secret, request, issuer);
      await this.write(tx, caller, apiKey);
      await alongside(tx, apiKey);
      return { result: apiKey, changed: [] };
    });
  }

  private async write(tx: EntityManager, { ownerId, origin }: Caller, apiKey: ApiKey): Promise<void> {
    await tx.insert(ApiKey, apiKey);
    const { id, name, scopes, limits } = apiKey;
    await this.auditTrail.record(tx, ownerId, origin, [
      { action: 'key.created', apiKeyId: id, changes: { name, scopes, limits: LimitsDto.of(limits) } },
    ]);
    await adjustLiveKeys(tx, ownerId, 1);
  }

  private newKey(
    ownerId: string,
    secret: MintedPair,
    { name, scopes, metadata = {}, limits }: KeyRequest,
    issuer: ApiKey | null,
  ): ApiKey {
    const now = new Date(this.clock.now());
    return Object.assign(new ApiKey(), NEW_KEY, limitColumns(grantedLimits(limits, issuer)), {
      id: uuidv7(),
      ownerId,
      name,
      apiKey: secret.apiKey,
      secretHash: secret.hash,
      secretSignedBy: secret.signedBy,
      scopes,
      metadata,
      issuedBy: issuer?.id ?? null,
      createdAt: now,
      updatedAt: now,
    });
  }
}

/** What is asked for, and what is inherited where nothing is. */
function grantedLimits(limits: Partial<KeyLimits> = {}, issuer: ApiKey | null): KeyLimits {
  if (issuer) assertWithin(limits, issuer.limits);
  const granted = { ...NO_LIMITS, ...(issuer ? inherit(limits, issuer.limits) : limits) };
  assertUsableWindow(granted, limits);
  return granted;
}
