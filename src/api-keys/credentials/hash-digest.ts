import { hash } from 'node:crypto';

/**
 * A short digest that identifies the stored hash of a secret: the first 16 bytes of its SHA-256, as 24 characters of
 * base64 instead of a hundred. `digestInSql()` computes the same.
 */
export function hashDigest(storedHash: string): string {
  return hash('sha256', storedHash, 'buffer').toString('base64', 0, 16);
}

/** @param column with the stored hash */
export function digestInSql(column: string): string {
  return `encode(substr(sha256(convert_to(${column}, 'UTF8')), 1, 16), 'base64')`;
}
