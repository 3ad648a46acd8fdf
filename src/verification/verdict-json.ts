import type { RateState } from '../limits/rate-limiter.js';
import type { BatchVerdict } from './batch-run.js';
import type { CachedKey } from './cache/cached-key.js';
import type { Grant } from './dto/grant.dto.js';
import type { Verdict } from './verdict.js';

/** The verdict as the JSON of a `VerdictDto`. The constant parts of a key are serialized once. */
export function verdictJson(verdict: Verdict, grant?: Grant): string {
  const json = plainJson(verdict);
  return grant ? `${json.slice(0, -1)},"grant":${JSON.stringify(grant)}}` : json;
}

function plainJson({ valid, code, key, charge }: Verdict): string {
  if (!valid) return `{"valid":false,"code":"${code}"${charge?.rate ? `,"rate_limit":${rateJson(charge.rate)}` : ''}}`;
  const rate = charge.rate ? rateJson(charge.rate) : 'null';
  const expiry = key.expiresAt === null ? 'null' : key.memoize(expiryOf);
  const description = `${key.memoize(prefixOf)},"scopes":${key.granted.json},"expires_at":${expiry}`;
  return `${description},"remaining_uses":${charge.remainingUses},"rate_limit":${rate}}`;
}

/** A verdict of a batch as the JSON of a `BatchVerdictDto`. */
export function batchVerdictJson(verdict: BatchVerdict, grant?: Grant): string {
  if (verdict.code !== 'UNAVAILABLE') return verdictJson(verdict, grant);
  return `{"valid":false,"code":"UNAVAILABLE","retry_after_seconds":${verdict.retryAfterSeconds}}`;
}

function rateJson({ limit, remaining, resetSeconds }: RateState): string {
  return `{"limit":${limit},"remaining":${remaining},"reset_seconds":${resetSeconds}}`;
}

/** The verdict up to its scopes, whose JSON keys with equal scopes share. */
function prefixOf({ id, ownerId, name }: CachedKey): string {
  return JSON.stringify({ valid: true, code: 'VALID', key_id: id, owner_id: ownerId, name }).slice(0, -1);
}

function expiryOf({ expiresAt }: CachedKey): string {
  return JSON.stringify(expiresAt && new Date(expiresAt));
}
