import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';

const CIPHER = 'aes-256-gcm';
const [NONCE, TAG] = [12, 16];

/** The key for stored answers, derived from a server key (HKDF, RFC 5869). */
export function answerKey(serverKey: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', serverKey, '', 'w3ipfs idempotent answers', 32));
}

/**
 * Locates and encrypts the answer stored under an `Idempotency-Key` of a caller. Everything is derived from a server key
 * and the `Idempotency-Key` together: the database alone reveals nothing, even if the client chose a short key.
 */
export class AnswerCipher {
  /** The primary key of the stored answer. */
  readonly id: Buffer;
  readonly #key: Buffer;

  /**
   * @param serverKey 32 bytes
   * @param scope the caller and the call: an `Idempotency-Key` is valid for these only
   */
  constructor(serverKey: Buffer, scope: readonly string[], idempotencyKey: string) {
    this.id = createHmac('sha256', serverKey)
      .update(JSON.stringify([...scope, idempotencyKey]))
      .digest();
    this.#key = Buffer.from(hkdfSync('sha256', serverKey, idempotencyKey, this.id, 32));
  }

  /** Identifies a request's body, independently of how its JSON was written. */
  fingerprint(body: unknown): Buffer {
    return createHmac('sha256', this.#key).update(canonicalJson(body)).digest();
  }

  /** AES-256-GCM (NIST SP 800-38D), with a random nonce. */
  encrypt(text: string): Buffer {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv(CIPHER, this.#key, nonce);
    return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws Error if it was not encrypted by this cipher */
  decrypt(encrypted: Buffer): string {
    const decipher = createDecipheriv(CIPHER, this.#key, encrypted.subarray(0, NONCE));
    decipher.setAuthTag(encrypted.subarray(-TAG));
    return decipher.update(encrypted.subarray(NONCE, -TAG), undefined, 'utf8') + decipher.final('utf8');
  }
}
