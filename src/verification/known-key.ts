import { hash, timingSafeEqual } from 'node:crypto';
import type { ApiKey } from '../api-keys/api-key.entity.js';
import { Networks, parseNetwork } from '../limits/cidr.js';

/** Which of a key's secrets was presented: its own, or the one before the last rotation. */
export type WhichSecret = 'current' | 'previous';

/** A key whose secret has passed: what the next use of it is decided by. */
export class KnownKey {
  /** Where it may be used from; `null` for anywhere. */
  readonly networks: Networks | null;
  /** When it was last confirmed, as `KnownKeys` counts. */
  epoch = 0;
  private derived: Map<unknown, unknown> | undefined;

  /** @param secretDigest SHA-256 of the secret that passed */
  constructor(
    readonly apiKey: ApiKey,
    readonly secretDigest: Buffer,
    readonly which: WhichSecret = 'current',
  ) {
    this.networks = apiKey.allowedCidrs && new Networks(apiKey.allowedCidrs.map(parseNetwork));
  }

  /** Whether it is this secret that has passed; the comparison takes constant time. */
  hasSecret(secretKey: string): boolean {
    return timingSafeEqual(this.secretDigest, hash('sha256', secretKey, 'buffer'));
  }

  /** The stored hash of the secret that has passed; `null` if another record has no such secret any more. */
  hashIn({ secretHash, previousSecretHash }: ApiKey): string | null {
    return this.which === 'current' ? secretHash : previousSecretHash;
  }

  /** What does not change from one answer about the key to the next, worked out at the first. */
  derive<T>(from: (apiKey: ApiKey) => T): T {
    this.derived ??= new Map();
    if (!this.derived.has(from)) this.derived.set(from, from(this.apiKey));
    return this.derived.get(from) as T;
  }
}
