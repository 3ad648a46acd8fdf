import { createHash } from 'node:crypto';

const HANDLE_BYTES = 12;

/**
 * What guards are told of a change: the base64url of the first 12 bytes of the SHA-256 of an `api_key`, or of an
 * announcement. It reveals nothing to a guard that does not know the key.
 */
export function changeHandle(identifier: string): string {
  return createHash('sha256').update(identifier).digest().subarray(0, HANDLE_BYTES).toString('base64url');
}
