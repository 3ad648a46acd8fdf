import { availableParallelism } from 'node:os';
import { Inject, Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import type { DataSource } from 'typeorm';
import { ApiKey } from '../api-keys/api-key.entity.js';
import { CredentialKeyring } from '../api-keys/credentials/credential-keyring.js';
import { isGenuine, signerOf } from '../api-keys/credentials/credentials.js';
import { SecretHasher } from '../api-keys/credentials/secret-hasher.js';
import { Clock } from '../clock.js';
import { VERIFICATION_POOL } from '../database/database.module.js';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import type { SecretKind } from './cache/cached-key.js';
import { SecretSigners } from './secret-signers.js';

/**
 * Verifies secrets with argon2. Runs one check per core: more would only slow each other down. Callers bound the queue
 * (`KeyLookup`).
 */
@Injectable()
export class SecretVerifier {
  private readonly limit = pLimit(availableParallelism());
  /** The hash of a random secret, checked where there is no key, so that the timing does not reveal which keys exist. */
  private readonly decoyHash: Promise<string>;

  constructor(
    private readonly hasher: SecretHasher,
    @Inject(VERIFICATION_POOL) private readonly pool: DataSource,
    private readonly signers: SecretSigners,
    private readonly clock: Clock,
    private readonly keyring: CredentialKeyring,
  ) {
    this.decoyHash = hasher.hash(crypto.randomUUID());
  }

  /** The number of checks that wait for a core. */
  get waiting(): number {
    return this.limit.pendingCount;
  }

  /** Whether the tag of the pair's secret was made with one of `CREDENTIAL_KEYS`. Costs neither a read nor argon2. */
  isGenuine(pair: KeyPair): boolean {
    return isGenuine(pair, this.keyring.keys);
  }

  /**
   * Which secret of the key this is; `undefined` if it is neither. A hash that was made with other argon2 parameters is
   * replaced, and the server key that signed the secret is recorded.
   */
  match(apiKey: ApiKey | null, secretKey: string): Promise<SecretKind | undefined> {
    return this.limit(async () => {
      const isCurrent = await this.hasher.matches(apiKey?.secretHash ?? (await this.decoyHash), secretKey);
      if (!apiKey) return undefined;
      const secretKind = isCurrent ? 'current' : (await this.isPrevious(apiKey, secretKey)) ? 'previous' : undefined;
      if (isCurrent && this.hasher.isOutdated(apiKey.secretHash)) await this.rehash(apiKey, secretKey);
      if (secretKind) this.recordSigner(apiKey, secretKind, secretKey);
      return secretKind;
    });
  }

  private async isPrevious(apiKey: ApiKey, secretKey: string): Promise<boolean> {
    const { previousSecretHash } = apiKey;
    if (previousSecretHash === null || !isInOverlap(apiKey, this.clock.now())) return false;
    return this.hasher.matches(previousSecretHash, secretKey);
  }

  private recordSigner(apiKey: ApiKey, secretKind: SecretKind, secretKey: string): void {
    const signer = signerOf({ apiKey: apiKey.identifier, secretKey }, this.keyring.keys)?.fingerprint;
    const { secretHash, secretSignedBy, previousSecretHash, previousSecretSignedBy } = apiKey;
    const [hash, recorded] =
      secretKind === 'current' ? [secretHash, secretSignedBy] : [previousSecretHash, previousSecretSignedBy];
    // A process of an earlier version that rotates a key leaves the old secret's signer in the row
    if (signer !== undefined && hash !== null && recorded !== signer) this.signers.record(apiKey.id, hash, signer);
  }

  /** Stores the same secret's hash with the current parameters, unless the hash has changed meanwhile. */
  private async rehash({ id, secretHash }: ApiKey, secretKey: string): Promise<void> {
    const renewed = { secretHash: await this.hasher.hash(secretKey) };
    await this.pool.getRepository(ApiKey).update({ id, secretHash }, renewed);
  }
}

/** Whether the secret before the last rotation is still accepted. */
function isInOverlap({ previousSecretExpiresAt }: ApiKey, now: number): boolean {
  return previousSecretExpiresAt !== null && now < previousSecretExpiresAt.getTime();
}
