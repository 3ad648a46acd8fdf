import { hash } from 'node:crypto';

/**
 * Stands for the stored hash of a secret, in 24 characters instead of a hundred: the first 16 bytes of its SHA-256, in
 * base64. `digestInSql()` does the same in SQL.
 */
export function hashDigest(storedHash: string): string {
  return hash('sha256', storedHash, 'buffer').toString('base64', 0, 16);
}

/** @param column that the stored hash is in */
export function digestInSql(column: string): string {
  return `encode(substr(sha256(convert_to(${column}, 'UTF8')), 1, 16), 'base64')`;
}
