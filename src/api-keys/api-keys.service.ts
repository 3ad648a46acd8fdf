import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, IsNull, type Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../config/clock.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { type KeyLimits, NO_LIMITS } from '../limits/key-limits.js';
import { ApiKey, limitColumns, type Metadata, NEW_KEY } from './api-key.entity.js';
import type { Caller } from './caller.js';
import { type KeyPair, mintApiKey, mintSecretKey } from './credentials.js';
import { LimitsDto } from './dto/limits.dto.js';
import { ApiKeyNotFoundError, IssuerGoneError, PreconditionFailedError } from './errors.js';
import { inherit, refuseOwn, refuseStronger, refuseWider } from './escalation.js';
import { KeyChanges } from './key-changes.js';
import { withNewSecret } from './key-rotation.js';
import { countLiveKeys } from './live-keys.js';
import { changesOf, type KeyUpdate, refuseNoTime, withUpdate } from './key-update.js';
import type { GivenScopes } from './scopes.js';
import { SecretHasher } from './secret-hasher.js';

export interface KeyRequest {
  name: string;
  scopes: GivenScopes;
  limits?: Partial<KeyLimits>;
  metadata?: Metadata;
}

/** A key with a new secret, which is nowhere to be had again. */
export interface IssuedKey {
  apiKey: ApiKey;
  secretKey: KeyPair['secretKey'];
}

/** What is to be done in the same transaction as the change itself. */
export type Alongside = (tx: EntityManager, issued: IssuedKey) => Promise<void>;

/** What a key becomes, and what the audit trail says of it. */
interface Change {
  action: string;
  changes?: Record<string, unknown>;
  columns: Partial<ApiKey>;
}

/** Issues keys, changes and rotates them. Whatever an owner asks for stays within that owner's keys. */
@Injectable()
export class ApiKeysService {
  private readonly keys: Repository<ApiKey>;

  constructor(
    private readonly hasher: SecretHasher,
    private readonly keyChanges: KeyChanges,
    private readonly auditTrail: AuditTrail,
    private readonly clock: Clock,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    dataSource: DataSource,
  ) {
    this.keys = dataSource.getRepository(ApiKey);
  }

  /** @throws ExceedsIssuerError if a key would give more than it has; ValidationError if it could never be used */
  async issue(
    caller: Caller,
    { name, scopes, limits = {}, metadata = {} }: KeyRequest,
    alongside?: Alongside,
  ): Promise<IssuedKey> {
    const secret = await this.mint(mintApiKey());
    const now = new Date(this.clock.now());
    return this.keyChanges.transaction(async (tx) => {
      await this.auditTrail.hold(tx, caller.ownerId);
      const issuer = caller.apiKey && (await holdIssuer(tx, caller.apiKey));
      if (issuer) refuseWider(limits, issuer.limits);
      const granted = { ...NO_LIMITS, ...(issuer ? inherit(limits, issuer.limits) : limits) };
      refuseNoTime(granted, limits);
      const apiKey = this.keys.create({
        ...NEW_KEY,
        id: uuidv7(),
        ownerId: caller.ownerId,
        name,
        apiKey: secret.apiKey,
        secretHash: secret.hash,
        scopes,
        metadata,
        ...limitColumns(granted),
        issuedBy: issuer?.id ?? null,
        createdAt: now,
        updatedAt: now,
      });
      await tx.insert(ApiKey, apiKey);
      const changes = { name, scopes, limits: LimitsDto.of(granted) };
      await this.auditTrail.record(tx, caller.ownerId, caller.origin, [
        { action: 'key.created', apiKeyId: apiKey.id, changes },
      ]);
      await countLiveKeys(tx, caller.ownerId, 1);
      const issued = { apiKey, secretKey: secret.secretKey };
      await alongside?.(tx, issued);
      return { result: issued, changed: [] };
    });
  }

  /**
   * Changes what is given, and leaves the rest as it is.
   *
   * @param versions those that the key may be at; `undefined` for any
   * @throws ApiKeyNotFoundError, PreconditionFailedError, ExceedsIssuerError
   */
  update(caller: Caller, id: string, update: KeyUpdate, versions?: readonly number[]): Promise<ApiKey> {
    return this.change(caller, id, versions, (key) => {
      const updated = withUpdate(key, update);
      if (caller.apiKey?.id === key.id) refuseOwn(update);
      else if (caller.apiKey) {
        refuseWider(update.limits ?? {}, caller.apiKey.limits);
        if (update.scopes || update.enabled) refuseStronger(updated, caller.apiKey);
      }
      return { action: 'key.updated', changes: changesOf(key, updated), columns: updated.columns };
    });
  }

  /**
   * Gives the key a new secret. The old one works until the overlap or the key's own expiry ends, whichever comes
   * first; one before it no more.
   *
   * @throws ApiKeyNotFoundError, ExceedsIssuerError
   */
  async rotate(caller: Caller, id: string, overlapSeconds: number, alongside?: Alongside): Promise<IssuedKey> {
    const { apiKey: identifier } = await this.get(caller.ownerId, id);
    const secret = await this.mint(identifier);
    const rotated = await this.change(
      caller,
      id,
      undefined,
      (key) => {
        if (caller.apiKey && caller.apiKey.id !== key.id) refuseStronger(key, caller.apiKey);
        const columns = withNewSecret(key, secret.hash, overlapSeconds, this.clock.now());
        const changes = { previous_secret_expires_at: columns.previousSecretExpiresAt };
        return { action: 'key.rotated', changes, columns };
      },
      (tx, apiKey) => alongside?.(tx, { apiKey, secretKey: secret.secretKey }),
    );
    return { apiKey: rotated, secretKey: secret.secretKey };
  }

  /** @throws ApiKeyNotFoundError unless the key is this owner's; a revoked one can still be read */
  async get(ownerId: string, id: string): Promise<ApiKey> {
    const apiKey = await this.keys.findOneBy({ id, ownerId });
    if (!apiKey) throw new ApiKeyNotFoundError(id);
    return apiKey;
  }

  private async mint(apiKey: string): Promise<KeyPair & { hash: string }> {
    const secretKey = mintSecretKey(apiKey, this.environment.credentialKeys);
    return { apiKey, secretKey, hash: await this.hasher.hash(secretKey) };
  }

  /** Holds a key of the owner that is not revoked, decides what becomes of it, and writes that with all that belongs to it. */
  private change(
    { ownerId, origin }: Caller,
    id: string,
    versions: readonly number[] | undefined,
    decide: (key: ApiKey) => Change,
    alongside?: (tx: EntityManager, key: ApiKey) => Promise<void> | undefined,
  ): Promise<ApiKey> {
    return this.keyChanges.transaction(async (tx) => {
      await this.auditTrail.hold(tx, ownerId);
      const lock = { mode: 'pessimistic_write' } as const;
      const key = await tx.findOne(ApiKey, { where: { id, ownerId, revokedAt: IsNull() }, lock });
      if (!key) throw new ApiKeyNotFoundError(id);
      if (versions && !versions.includes(key.version)) throw new PreconditionFailedError();
      const { action, changes = {}, columns } = decide(key);
      const all = { ...columns, version: key.version + 1, updatedAt: new Date(this.clock.now()) };
      await tx.update(ApiKey, { id: key.id, ownerId }, all);
      await this.auditTrail.record(tx, ownerId, origin, [{ action, apiKeyId: key.id, changes }]);
      const changed = Object.assign(key, all);
      await alongside?.(tx, changed);
      return { result: changed, changed: [key.apiKey] };
    });
  }
}

/** Holds the issuing key, so that it is not revoked, and what it issued with it, while it issues another. */
async function holdIssuer(tx: EntityManager, { id, ownerId }: ApiKey): Promise<ApiKey> {
  const where = { id, ownerId, revokedAt: IsNull(), enabled: true };
  const issuer = await tx.findOne(ApiKey, { where, lock: { mode: 'pessimistic_read' } });
  if (!issuer) throw new IssuerGoneError();
  return issuer;
}
