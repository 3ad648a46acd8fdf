import { availableParallelism } from 'node:os';
import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import type { ApiKey } from '../api-keys/api-key.entity.js';
import { signerOf } from '../api-keys/credentials/credentials.js';
import { SecretHasher } from '../api-keys/credentials/secret-hasher.js';
import { Clock } from '../clock.js';
import type { SecretKind } from './cache/cached-key.js';
import { KeyReader } from './cache/key-reader.js';
import { SecretSigners } from './secret-signers.js';
import { CredentialKeyring } from '../api-keys/credentials/credential-keyring.js';

/**
 * Checks secrets by argon2, at most as often at once as there are cores: more would only be in each other's way.
 * How many may wait, whoever asks decides (`KnownKeys`).
 */
@Injectable()
export class SecretVerifier {
  private readonly limit = pLimit(availableParallelism());
  /** A hash of nothing anyone knows, checked where there is no key, so that both cost the same time. */
  private readonly decoyHash: Promise<string>;

  constructor(
    private readonly hasher: SecretHasher,
    private readonly reader: KeyReader,
    private readonly signers: SecretSigners,
    private readonly clock: Clock,
    private readonly keyring: CredentialKeyring,
  ) {
    this.decoyHash = hasher.hash(crypto.randomUUID());
  }

  /** How many wait for a core. */
  get waiting(): number {
    return this.limit.pendingCount;
  }

  /**
   * Which secret of the key it is; `undefined` if it is none. A right one replaces its hash if that was made with
   * other parameters, and is noted by the server key that signed it.
   */
  match(apiKey: ApiKey | null, secretKey: string): Promise<SecretKind | undefined> {
    return this.limit(async () => {
      const isCurrent = await this.hasher.matches(apiKey?.secretHash ?? (await this.decoyHash), secretKey);
      if (!apiKey) return undefined;
      const which = isCurrent ? 'current' : (await this.isPrevious(apiKey, secretKey)) ? 'previous' : undefined;
      if (isCurrent && this.hasher.isOutdated(apiKey.secretHash)) await this.renew(apiKey, secretKey);
      if (which) this.noteSigner(apiKey, which, secretKey);
      return which;
    });
  }

  private async isPrevious(apiKey: ApiKey, secretKey: string): Promise<boolean> {
    const { previousSecretHash } = apiKey;
    if (previousSecretHash === null || !isInOverlap(apiKey, this.clock.now())) return false;
    return this.hasher.matches(previousSecretHash, secretKey);
  }

  private noteSigner(apiKey: ApiKey, which: SecretKind, secretKey: string): void {
    const signer = signerOf({ apiKey: apiKey.identifier, secretKey }, this.keyring.keys)?.fingerprint;
    const { secretHash, secretSignedBy, previousSecretHash, previousSecretSignedBy } = apiKey;
    const [hash, noted] =
      which === 'current' ? [secretHash, secretSignedBy] : [previousSecretHash, previousSecretSignedBy];
    // A process of an earlier version that rotates a key leaves the old secret's signer in the row
    if (signer !== undefined && hash !== null && noted !== signer) this.signers.note(apiKey.id, hash, signer);
  }

  private async renew(apiKey: ApiKey, secretKey: string): Promise<void> {
    await this.reader.replaceHash(apiKey, await this.hasher.hash(secretKey));
  }
}

/** Whether the secret before the last rotation may still be used. */
function isInOverlap({ previousSecretExpiresAt }: ApiKey, now: number): boolean {
  return previousSecretExpiresAt !== null && now < previousSecretExpiresAt.getTime();
}
