import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';

const CIPHER = 'aes-256-gcm';
const [NONCE, TAG] = [12, 16];

/** A key of its own for this purpose, made of a server key (HKDF, RFC 5869). */
export function answerKey(serverKey: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', serverKey, '', 'w3ipfs idempotent answers', 32));
}

/**
 * What an `Idempotency-Key` of a caller opens: the place of its answer, and the answer. All of it is made of a
 * server's key and the `Idempotency-Key` together, so that the database gives nothing away, however short a word
 * the client has chosen.
 */
export class AnswerCipher {
  /** Where the answer is kept. */
  readonly id: Buffer;
  readonly #key: Buffer;

  /**
   * @param serverKey 32 bytes
   * @param scope who asks, and for what: the same `Idempotency-Key` of another means nothing here
   */
  constructor(serverKey: Buffer, scope: readonly string[], idempotencyKey: string) {
    this.id = createHmac('sha256', serverKey)
      .update(JSON.stringify([...scope, idempotencyKey]))
      .digest();
    this.#key = Buffer.from(hkdfSync('sha256', serverKey, idempotencyKey, this.id, 32));
  }

  /** Of a request's body, however its JSON was written. */
  fingerprint(body: unknown): Buffer {
    return createHmac('sha256', this.#key).update(canonicalJson(body)).digest();
  }

  /** AES-256-GCM (NIST SP 800-38D), with a nonce of its own. */
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
