/**
 * A value for `Idempotency-Key`: 128 random bits. Make one for each key or rotation, and send the same with each retry.
 * Works in pages without HTTPS, too, where `crypto.randomUUID` is missing.
 */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
