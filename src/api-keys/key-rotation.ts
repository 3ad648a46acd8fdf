import type { ApiKey } from './api-key.entity.js';

/** The columns of a key with a new secret: the old one works until the overlap or the key itself ends. */
export function withNewSecret(key: ApiKey, secretHash: string, overlapSeconds: number, now: number) {
  const none = { previousSecretHash: null, previousSecretExpiresAt: null };
  const previous = overlapSeconds > 0 ? keptUntil(key, now + overlapSeconds * 1_000) : none;
  const secretGeneration = key.secretGeneration + 1;
  return { secretHash, secretGeneration, ...previous, previousSecretLastUsedAt: null };
}

function keptUntil({ secretHash, expiresAt }: ApiKey, overlapEnd: number) {
  const end = Math.min(overlapEnd, expiresAt?.getTime() ?? Infinity);
  return { previousSecretHash: secretHash, previousSecretExpiresAt: new Date(end) };
}
