import type { ApiKey } from '../api-key.entity.js';
import type { MintedPair } from '../credentials/secret-mint.js';

/**
 * The columns of a key with a new secret. The previous one stays valid until the overlap ends or the key expires.
 *
 * @param overlapSeconds 0 for none
 * @param now milliseconds since 1970
 */
export function withNewSecret(key: ApiKey, { hash, signedBy }: MintedPair, overlapSeconds: number, now: number) {
  const none = { previousSecretHash: null, previousSecretSignedBy: null, previousSecretExpiresAt: null };
  const previous = overlapSeconds > 0 ? keptUntil(key, now + overlapSeconds * 1_000) : none;
  const current = { secretHash: hash, secretSignedBy: signedBy, secretGeneration: key.secretGeneration + 1 };
  return { ...current, ...previous, previousSecretLastUsedAt: null };
}

function keptUntil({ secretHash, secretSignedBy, expiresAt }: ApiKey, overlapEnd: number) {
  const previousSecretExpiresAt = new Date(Math.min(overlapEnd, expiresAt?.getTime() ?? Infinity));
  return { previousSecretHash: secretHash, previousSecretSignedBy: secretSignedBy, previousSecretExpiresAt };
}
