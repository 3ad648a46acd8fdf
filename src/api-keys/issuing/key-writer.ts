import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { AuditTrail } from '../../audit/audit-trail.js';
import { Clock } from '../../clock.js';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { type KeyLimits, NO_LIMITS } from '../../principals/key-limits.js';
import { ApiKey, limitColumns, type Metadata, NEW_KEY } from '../api-key.entity.js';
import type { Caller } from '../../principals/caller.js';
import { LimitsDto } from '../dto/limits.dto.js';
import { KeyLimitReachedError } from '../errors.js';
import { inherit, assertWithin } from '../escalation.js';
import { KeyLocks } from '../key-locks.js';
import { assertUsableWindow } from '../key-patch.js';
import { adjustLiveKeys } from '../../owners/live-keys.js';
import { lockOrCreateOwner } from '../../owners/owner-lock.js';
import type { GivenScopes } from '../../principals/scopes.js';
import type { MintedPair } from '../credentials/secret-mint.js';

/** The properties of a key to be issued. */
export interface KeyRequest {
  name: string;
  scopes: GivenScopes;
  limits?: Partial<KeyLimits>;
  metadata?: Metadata;
}

/** Writes new keys, within the rights of their issuer and the number of keys that the owner may have. */
@Injectable()
export class KeyWriter {
  constructor(
    private readonly locks: KeyLocks,
    private readonly auditTrail: AuditTrail,
    private readonly clock: Clock,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  /**
   * Writes a key with its audit event. No process has a new key in its cache, so nothing is to be invalidated.
   *
   * @throws ExceedsIssuerError, KeyLimitReachedError; ValidationError if the key could never be used; ApiError if the
   *   caller may no longer issue keys
   */
  async insert(tx: EntityManager, caller: Caller, secret: MintedPair, request: KeyRequest): Promise<ApiKey> {
    const liveKeys = await lockOrCreateOwner(tx, caller.ownerId);
    const issuer = await this.locks.lockCaller(tx, caller);
    const { maxKeysPerOwner } = this.environment;
    if (liveKeys >= maxKeysPerOwner) throw new KeyLimitReachedError(maxKeysPerOwner);
    const key = this.newKey(caller.ownerId, secret, request, issuer);
    await this.write(tx, caller, key);
    return key;
  }

  private async write(tx: EntityManager, { ownerId, source }: Caller, key: ApiKey): Promise<void> {
    await tx.insert(ApiKey, key);
    const { id, name, scopes, limits } = key;
    await this.auditTrail.record(tx, ownerId, source, [
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
      identifier: secret.apiKey,
      secretHash: secret.hash,
      secretSignedBy: secret.signedBy,
      scopes,
      metadata,
      issuedBy: issuer?.id ?? null,
      createdAt: now,
      updatedAt: now,
    } satisfies Partial<ApiKey>);
  }
}

/** The requested limits; those left out are inherited from the issuer. */
function grantedLimits(limits: Partial<KeyLimits> = {}, issuer: ApiKey | null): KeyLimits {
  if (issuer) assertWithin(limits, issuer.limits);
  const granted = { ...NO_LIMITS, ...(issuer ? inherit(limits, issuer.limits) : limits) };
  assertUsableWindow(granted, limits);
  return granted;
}
