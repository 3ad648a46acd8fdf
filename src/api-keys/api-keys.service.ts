import { Inject, Injectable } from '@nestjs/common';
import { DataSource, IsNull, type Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { type KeyLimits, NO_LIMITS } from '../limits/key-limits.js';
import { Clock } from '../config/clock.js';
import { ApiKey, limitColumns, type Metadata } from './api-key.entity.js';
import { type KeyPair, mintApiKey, mintSecretKey } from './credentials.js';
import { ApiKeyNotFoundError } from './errors.js';
import { withinIssuer } from './escalation.js';
import { KeyChanges } from './key-changes.js';
import type { GivenScopes } from './scopes.js';
import { SecretHasher } from './secret-hasher.js';

export interface KeyRequest {
  name: string;
  scopes: GivenScopes;
  limits?: Partial<KeyLimits>;
  metadata?: Metadata;
}

/** A new key with its secret, which is nowhere to be had again. */
export interface IssuedKey {
  apiKey: ApiKey;
  secretKey: KeyPair['secretKey'];
}

/** Whoever a key is issued for, and by: `apiKey` is `null` for a session or an operator. */
interface Issuer {
  ownerId: string;
  apiKey: Pick<ApiKey, 'id' | 'limits'> | null;
}

/** Issues, finds and revokes keys. Whatever an owner asks for stays within that owner's keys. */
@Injectable()
export class ApiKeysService {
  private readonly keys: Repository<ApiKey>;

  constructor(
    dataSource: DataSource,
    private readonly hasher: SecretHasher,
    private readonly keyChanges: KeyChanges,
    private readonly clock: Clock,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {
    this.keys = dataSource.getRepository(ApiKey);
  }

  /** @throws ExceedsIssuerError if a key would give more than it has */
  async issue(issuer: Issuer, { name, scopes, limits = {}, metadata = {} }: KeyRequest): Promise<IssuedKey> {
    const allowed = issuer.apiKey ? withinIssuer(limits, issuer.apiKey.limits) : limits;
    const apiKey = mintApiKey();
    const secretKey = mintSecretKey(apiKey, this.environment.credentialKeys);
    const secretHash = await this.hasher.hash(secretKey);
    const now = new Date(this.clock.now());
    const record = this.keys.create({
      id: uuidv7(),
      ownerId: issuer.ownerId,
      name,
      apiKey,
      secretHash,
      scopes,
      metadata,
      ...limitColumns({ ...NO_LIMITS, ...allowed }),
      uses: 0,
      lastUsedAt: null,
      issuedBy: issuer.apiKey?.id ?? null,
      createdAt: now,
      updatedAt: now,
      revokedAt: null,
    });
    await this.keys.insert(record);
    return { apiKey: record, secretKey };
  }

  /** A page of the owner's keys, newest first, and how many there are; revoked ones are left out. */
  async list(ownerId: string, page: { limit: number; offset: number }): Promise<{ total: number; apiKeys: ApiKey[] }> {
    const [apiKeys, total] = await this.keys.findAndCount({
      where: { ownerId, revokedAt: IsNull() },
      order: { id: 'DESC' },
      take: page.limit,
      skip: page.offset,
    });
    return { total, apiKeys };
  }

  /** @throws ApiKeyNotFoundError unless the key is this owner's; a revoked one can still be read */
  async get(ownerId: string, id: string): Promise<ApiKey> {
    const apiKey = await this.keys.findOneBy({ id, ownerId });
    if (!apiKey) throw new ApiKeyNotFoundError(id);
    return apiKey;
  }

  /** @throws ApiKeyNotFoundError unless the key is this owner's and not revoked yet */
  async revoke(ownerId: string, id: string): Promise<void> {
    const revoked = await this.revokeWhere({ id, ownerId });
    if (revoked.length === 0) throw new ApiKeyNotFoundError(id);
  }

  /**
   * For operators: revokes the key of whatever owner.
   *
   * @throws ApiKeyNotFoundError unless there is such a key that is not revoked yet
   */
  async revokeByApiKey(apiKey: string): Promise<void> {
    const revoked = await this.revokeWhere({ apiKey });
    if (revoked.length === 0) throw new ApiKeyNotFoundError(apiKey);
  }

  /** The key of whatever owner; for verification and for operators. */
  findByApiKey(apiKey: string): Promise<ApiKey | null> {
    return this.keys.findOneBy({ apiKey });
  }

  /** Stores the same secret's hash under new parameters, unless the hash has changed meanwhile. */
  async replaceHash({ id, secretHash }: ApiKey, renewedHash: string): Promise<void> {
    await this.keys.update({ id, secretHash }, { secretHash: renewedHash });
  }

  /** @returns the `api_key` of each key that was revoked by it */
  private revokeWhere(which: { id: string; ownerId: string } | { apiKey: string }): Promise<string[]> {
    return this.keyChanges.transaction(async (tx) => {
      const now = new Date(this.clock.now());
      const update = tx.createQueryBuilder().update(ApiKey).set({ revokedAt: now, updatedAt: now });
      const { raw } = await update
        .where({ ...which, revokedAt: IsNull() })
        .returning('api_key')
        .execute();
      return (raw as { api_key: string }[]).map((row) => row.api_key);
    });
  }
}
