import { hash, randomBytes } from 'node:crypto';
import type { KeyPair } from '../decision/index.js';

/** Names pairs by a digest that is of no use outside this process. */
export class PairDigests {
  /** 32 random bytes. As text, so that no buffer ever holds the secret. */
  private readonly salt = randomBytes(32).toString('base64url');

  /** SHA-256(salt ‖ `api_key` ‖ 0 ‖ `secret_key`), as a binary string of 32 characters. */
  of({ apiKey, secretKey }: KeyPair): string {
    return hash('sha256', `${this.salt}${apiKey}\0${secretKey}`, 'binary');
  }
}
