import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, type Repository } from 'typeorm';
import { ApiKey } from './api-key.entity.js';
import type { Caller } from '../principals/caller.js';
import { mintApiKey } from './credentials/credentials.js';
import type { KeyPair } from '../principals/key-pair.js';
import { ApiKeyNotFoundError } from './errors.js';
import { assertMayGrant, assertNotOwnRights, assertNotStronger } from './escalation.js';
import { ExactUses } from './exact-uses.js';
import { KeyIssuing, type KeyRequest } from './key-issuing.js';
import { KeyMutations } from './key-mutations.js';
import { withNewSecret } from './key-rotation.js';
import { diff, type KeyPatch, assertFuture, withoutUnchanged, applyPatch } from './key-patch.js';
import { SecretMint } from './credentials/secret-mint.js';
import { OwnerReads } from '../owners/owner-reads.js';

/** A key and its new secret, which cannot be retrieved later. */
export interface IssuedKey {
  apiKey: ApiKey;
  secretKey: KeyPair['secretKey'];
}

/** What is to be done in the same transaction as the change itself. */
export type Alongside = (tx: EntityManager, issued: IssuedKey) => Promise<void>;

interface RotateOptions {
  overlapSeconds: number;
  versions?: readonly number[] | undefined;
}

/** Issues keys, changes and rotates them. Whatever an owner asks for stays within that owner's keys. */
@Injectable()
export class ApiKeysService {
  private readonly keys: Repository<ApiKey>;

  constructor(
    private readonly mint: SecretMint,
    private readonly issuing: KeyIssuing,
    private readonly mutations: KeyMutations,
    private readonly exactUses: ExactUses,
    private readonly reads: OwnerReads,
    dataSource: DataSource,
  ) {
    this.keys = dataSource.getRepository(ApiKey);
  }

  /**
   * @throws ExceedsIssuerError if a key would give more than it has; KeyLimitReachedError; ValidationError if the key
   *   could never be used, or a date has come already; ApiError if the caller may no longer issue keys
   */
  async issue(caller: Caller, request: KeyRequest, alongside?: Alongside): Promise<IssuedKey> {
    assertFuture(request.limits);
    const secret = await this.mint.mint(mintApiKey());
    const apiKey = await this.issuing.issue(caller, secret, request, (tx, issued) =>
      alongside?.(tx, { apiKey: issued, secretKey: secret.secretKey }),
    );
    return { apiKey, secretKey: secret.secretKey };
  }

  /**
   * Changes what is given, and leaves the rest as it is. Where it is all so already nothing is written: the key keeps its
   * version, and the audit trail says nothing.
   *
   * @param versions those that the key may be at; `undefined` for any
   * @throws ApiKeyNotFoundError, PreconditionFailedError, ExceedsIssuerError
   */
  async update(caller: Caller, id: string, update: KeyPatch, versions?: readonly number[]): Promise<ApiKey> {
    await this.prepareForMaxUses(caller, id, update);
    return this.mutations.apply(caller, {
      id,
      versions,
      decide: (key, callingKey) => {
        const changing = withoutUnchanged(key, update);
        if (Object.keys(changing).length === 0) return null;
        if (callingKey?.id === key.id) assertNotOwnRights(changing);
        const updated = applyPatch(key, changing);
        if (callingKey && callingKey.id !== key.id)
          assertMayGrant(changing, key.limits, updated.limits, callingKey.limits);
        return { action: 'key.updated', changes: diff(key, updated), columns: updated.columns };
      },
    });
  }

  /**
   * Gives the key a new secret. The old one works until the overlap or the key's own expiry ends, whichever comes
   * first; one before it no more.
   *
   * @param versions those that the key may be at; `undefined` for any
   * @throws ApiKeyNotFoundError, PreconditionFailedError, ExceedsIssuerError
   */
  async rotate(
    caller: Caller,
    id: string,
    { overlapSeconds, versions }: RotateOptions,
    alongside?: Alongside,
  ): Promise<IssuedKey> {
    const { apiKey: identifier } = await this.get(caller.ownerId, id);
    const secret = await this.mint.mint(identifier);
    const apiKey = await this.mutations.apply(caller, {
      id,
      versions,
      decide: (key, callingKey, now) => {
        if (callingKey && callingKey.id !== key.id) assertNotStronger(key, callingKey);
        const columns = withNewSecret(key, secret, overlapSeconds, now);
        const changes = { previous_secret_expires_at: columns.previousSecretExpiresAt };
        return { action: 'key.rotated', changes, columns };
      },
      alongside: (tx, rotated) => alongside?.(tx, { apiKey: rotated, secretKey: secret.secretKey }),
    });
    return { apiKey, secretKey: secret.secretKey };
  }

  /** That the caller may still be given what it was given before. @throws ApiError */
  assertStillAllowed(caller: Caller): Promise<void> {
    return this.mutations.assertAllowed(caller);
  }

  /** Reads a key when it is its owner's turn to read. @throws as `get()` does; UnavailableError if too many wait */
  read(ownerId: string, id: string): Promise<ApiKey> {
    return this.reads.run(ownerId, () => this.get(ownerId, id));
  }

  /**
   * That a key may be given the answer to its rotation of itself. The secret that it called with may be the one that this
   * has ended, of which a process may hear later than it was let in: as long as the new one is the key's own. @throws ApiError
   */
  async assertOwnRotation(caller: Caller, newSecret: string): Promise<void> {
    const row = caller.key && (await this.keys.findOneBy({ id: caller.key.id, ownerId: caller.ownerId }));
    const isRotated = row !== null && (await this.mint.isSecretOf(row, newSecret));
    await this.mutations.assertAllowed(isRotated ? { ...caller, key: row } : caller);
  }

  /** @throws ApiKeyNotFoundError unless the key is this owner's; a revoked one can still be read */
  async get(ownerId: string, id: string): Promise<ApiKey> {
    const apiKey = await this.keys.findOneBy({ id, ownerId });
    if (!apiKey) throw new ApiKeyNotFoundError(id);
    return apiKey;
  }

  /** What was used of the key while nobody had to count counts against the `max_uses` that it gets. */
  private async prepareForMaxUses({ ownerId }: Caller, id: string, { limits }: KeyPatch): Promise<void> {
    if (typeof limits?.maxUses !== 'number') return;
    const { maxUses, revokedAt } = await this.get(ownerId, id);
    if (maxUses === null && !revokedAt) await this.exactUses.begin(id);
  }
}
