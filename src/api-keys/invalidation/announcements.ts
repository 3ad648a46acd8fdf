import { createHash } from 'node:crypto';

/**
 * Messages between processes in the invalidation feed, delivered within the same bound as invalidated `api_key`s: texts
 * of at most 24 characters that cannot be an `api_key`.
 */
const CASCADE = 'o:';
const EXACT_USES = 'u:';

/** Concerns no key: housekeeping has run. */
export const HOUSEKEEPING_ANNOUNCEMENT = 'h:';

/** Concerns no key: guards in other services decide on keys, and count their uses. */
export const GUARDS_ANNOUNCEMENT = 'g:';

/** A cascade has begun among the owner's keys. The owner is identified by 128 bits of a SHA-256. */
export function cascadeAnnouncement(ownerId: string): string {
  return CASCADE + createHash('sha256').update(ownerId).digest().subarray(0, 16).toString('base64url');
}

export function isCascadeAnnouncement(text: string): boolean {
  return text.startsWith(CASCADE);
}

/** A key is about to get `max_uses`: its uses have to be counted in the database from now on. */
export function exactUsesAnnouncement(keyId: string): string {
  return EXACT_USES + Buffer.from(keyId.replaceAll('-', ''), 'hex').toString('base64url');
}

/** The id of the key that is about to get `max_uses`; `undefined` for any other text. */
export function keyOfExactUses(text: string): string | undefined {
  if (!text.startsWith(EXACT_USES)) return undefined;
  const hex = Buffer.from(text.slice(EXACT_USES.length), 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
