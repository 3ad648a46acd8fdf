import type { GuardVerdict, RateLimitState } from '@w3ipfs/api-keys-guard';
import { scopeSetOf } from './scope-sets.js';

/** A guard's verdict as the JSON in which the service answers. */
export function verdictJson(verdict: GuardVerdict): string {
  const { valid, code, keyId, ownerId, name, scopes, expiresAt = null, remainingUses = null, rateLimit } = verdict;
  const rate = rateLimit ? rateJson(rateLimit) : undefined;
  if (!valid) return `{"valid":false,"code":"${code}"${rate ? `,"rate_limit":${rate}` : ''}}`;
  const key = JSON.stringify({ valid, code, key_id: keyId, owner_id: ownerId, name }).slice(0, -1);
  const limits = `"expires_at":${JSON.stringify(expiresAt)},"remaining_uses":${remainingUses},"rate_limit":${rate ?? 'null'}`;
  return `${key},"scopes":${scopeSetOf(scopes).json},${limits}}`;
}

/** In a batch, in place of a verdict that cannot be given now. */
export function undecidedJson(retryAfterSeconds: number): string {
  return `{"valid":false,"code":"UNAVAILABLE","retry_after_seconds":${retryAfterSeconds}}`;
}

function rateJson({ limit, remaining, resetSeconds }: RateLimitState): string {
  return JSON.stringify({ limit, remaining, reset_seconds: resetSeconds });
}
