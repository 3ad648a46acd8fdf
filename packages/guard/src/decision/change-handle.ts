import { hash } from 'node:crypto';

/** In base64url: 12 bytes. */
const HANDLE_LENGTH = 16;

/**
 * The name of a changed key in the feed of guards: the base64url of the first 12 bytes of the SHA-256 of an `api_key`, or of
 * an announcement. It reveals nothing to a guard that does not know the key.
 */
export function changeHandle(identifier: string): string {
  return hash('sha256', identifier, 'base64url').slice(0, HANDLE_LENGTH);
}
