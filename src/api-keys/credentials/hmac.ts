import { hash } from 'node:crypto';

/** The block length of SHA-256 in bytes, and the length of its digest. */
const [BLOCK, DIGEST] = [64, 32];

/**
 * HMAC-SHA-256 (RFC 2104) under one key of at most 64 bytes, of ASCII messages of one fixed length. Two one-shot hashes
 * take half the time of Node's `Hmac` object, which matters when the service is flooded with invalid pairs.
 */
export class Hmac {
  readonly #inner: Buffer;
  readonly #outer = Buffer.alloc(BLOCK + DIGEST, 0x5c);

  constructor(
    key: Buffer,
    private readonly messageLength: number,
  ) {
    if (key.length > BLOCK) throw new RangeError('The key is longer than a block of SHA-256.');
    this.#inner = Buffer.alloc(BLOCK + messageLength, 0x36);
    for (const [index, byte] of key.entries()) {
      this.#inner[index] = 0x36 ^ byte;
      this.#outer[index] = 0x5c ^ byte;
    }
  }

  digest(message: string): Buffer {
    if (message.length !== this.messageLength) throw new RangeError(`A message has ${this.messageLength} characters.`);
    this.#inner.write(message, BLOCK, 'latin1');
    this.#outer.write(hash('sha256', this.#inner, 'binary'), BLOCK, 'latin1');
    return hash('sha256', this.#outer, 'buffer');
  }
}
