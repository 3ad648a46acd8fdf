import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import type { ApiKey } from './api-key.entity.js';
import { type KeyPair, mintSecretKey } from './credentials.js';
import { SecretHasher } from './secret-hasher.js';

/** Makes secrets, and what is stored of them. */
@Injectable()
export class SecretMint {
  constructor(
    private readonly hasher: SecretHasher,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  /** A new secret for the `api_key`, with its hash. */
  async mint(apiKey: string): Promise<KeyPair & { hash: string }> {
    const secretKey = mintSecretKey(apiKey, this.environment.credentialKeys);
    return { apiKey, secretKey, hash: await this.hasher.hash(secretKey) };
  }

  /** Whether it is the key's own secret now. */
  isSecretOf({ secretHash }: ApiKey, secretKey: string): Promise<boolean> {
    return this.hasher.matches(secretHash, secretKey);
  }
}
