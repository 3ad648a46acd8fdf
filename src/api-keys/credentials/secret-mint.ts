import { Injectable } from '@nestjs/common';
import type { ApiKey } from '../api-key.entity.js';
import { mintSecretKey } from './credentials.js';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { SecretHasher } from './secret-hasher.js';
import { CredentialKeyring } from './credential-keyring.js';

/** A new pair, and the stored hash of its secret. */
export interface MintedPair extends KeyPair {
  hash: string;
  /** The fingerprint of the server key that signed it. */
  signedBy: string;
}

/** Generates and hashes secrets. */
@Injectable()
export class SecretMint {
  constructor(
    private readonly hasher: SecretHasher,
    private readonly keyring: CredentialKeyring,
  ) {}

  /** Generates a secret for the `api_key`. */
  async mint(apiKey: string): Promise<MintedPair> {
    const { keys } = this.keyring;
    const secretKey = mintSecretKey(apiKey, keys);
    const [{ fingerprint: signedBy }] = keys;
    return { apiKey, secretKey, hash: await this.hasher.hash(secretKey), signedBy };
  }

  /** Whether it is the key's current secret. */
  isSecretOf({ secretHash }: ApiKey, secretKey: string): Promise<boolean> {
    return this.hasher.matches(secretHash, secretKey);
  }
}
