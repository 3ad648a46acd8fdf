import { Inject, Injectable } from '@nestjs/common';
import type { ApiKey } from '../api-keys/api-key.entity.js';
import { ApiKeysService } from '../api-keys/api-keys.service.js';
import { type KeyPair, isGenuine } from '../api-keys/credentials.js';
import { SecretHasher } from '../api-keys/secret-hasher.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { type Verdict, refused } from './verdict.js';

/** Decides what a presented key pair may do: the one place that does. */
@Injectable()
export class Verifier {
  /** A hash of nothing anyone knows, checked where there is no key, so that both cost the same time. */
  private readonly decoyHash: Promise<string>;

  constructor(
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    private readonly apiKeys: ApiKeysService,
    private readonly hasher: SecretHasher,
  ) {
    this.decoyHash = hasher.hash(crypto.randomUUID());
  }

  /** The state of a key is told only to who holds its secret. */
  async verify(pair: KeyPair): Promise<Verdict> {
    if (!isGenuine(pair, this.environment.credentialKeys)) return refused('INVALID_CREDENTIALS');
    const apiKey = await this.apiKeys.findByApiKey(pair.apiKey);
    if (!(await this.secretMatches(apiKey, pair.secretKey)) || !apiKey) return refused('INVALID_CREDENTIALS');
    await this.renewOutdatedHash(apiKey, pair.secretKey);
    if (apiKey.status === 'revoked') return refused('REVOKED');
    return { valid: true, code: 'VALID', apiKey };
  }

  private async secretMatches(apiKey: ApiKey | null, secretKey: string): Promise<boolean> {
    return this.hasher.matches(apiKey?.secretHash ?? (await this.decoyHash), secretKey);
  }

  private async renewOutdatedHash(apiKey: ApiKey, secretKey: string): Promise<void> {
    if (!this.hasher.isOutdated(apiKey.secretHash)) return;
    await this.apiKeys.replaceHash(apiKey, await this.hasher.hash(secretKey));
  }
}
