import argon2, { type Options } from 'argon2';
import type { HashCost } from '../../config/environment.js';

/** Hashes secrets for storage, as PHC strings that record their own parameters. */
export class SecretHasher {
  private readonly options: Options;

  constructor({ memoryKib, passes }: HashCost) {
    this.options = { type: argon2.argon2id, memoryCost: memoryKib, timeCost: passes, parallelism: 1 };
  }

  hash(secretKey: string): Promise<string> {
    return argon2.hash(secretKey, this.options);
  }

  /** Whether the secret matches the hash; the comparison takes constant time. */
  matches(hash: string, secretKey: string): Promise<boolean> {
    return argon2.verify(hash, secretKey);
  }

  /** Whether the hash has other parameters than the configured ones. */
  isOutdated(hash: string): boolean {
    return argon2.needsRehash(hash, this.options);
  }
}
