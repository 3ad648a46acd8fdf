import { availableParallelism } from 'node:os';
import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import type { ApiKey } from '../api-keys/api-key.entity.js';
import { ApiKeysService } from '../api-keys/api-keys.service.js';
import { SecretHasher } from '../api-keys/secret-hasher.js';
import { UnavailableError } from '../contract/api-error.js';

/** How many checks may wait: with the default cost and two cores, less than a second's worth. */
const MOST_WAITING = 1_000;

/** Checks secrets by argon2, at most as often at once as there are cores: more would only be in each other's way. */
@Injectable()
export class SecretChecks {
  private readonly limit = pLimit(availableParallelism());
  /** A hash of nothing anyone knows, checked where there is no key, so that both cost the same time. */
  private readonly decoyHash: Promise<string>;

  constructor(
    private readonly hasher: SecretHasher,
    private readonly apiKeys: ApiKeysService,
  ) {
    this.decoyHash = hasher.hash(crypto.randomUUID());
  }

  /**
   * Whether the secret is the key's. A right one replaces its hash if that was made with other parameters.
   *
   * @throws UnavailableError if too many wait already
   */
  check(apiKey: ApiKey | null, secretKey: string): Promise<boolean> {
    if (this.limit.pendingCount >= MOST_WAITING) {
      throw new UnavailableError('Too many keys are being verified for the first time. Try again in a moment.', {
        retryAfterSeconds: 1,
      });
    }
    return this.limit(async () => {
      const isRight = await this.hasher.matches(apiKey?.secretHash ?? (await this.decoyHash), secretKey);
      if (apiKey && isRight && this.hasher.isOutdated(apiKey.secretHash)) await this.renew(apiKey, secretKey);
      return isRight && apiKey !== null;
    });
  }

  private async renew(apiKey: ApiKey, secretKey: string): Promise<void> {
    await this.apiKeys.replaceHash(apiKey, await this.hasher.hash(secretKey));
  }
}
