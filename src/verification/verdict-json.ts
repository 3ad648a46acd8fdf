import type { ApiKey } from '../api-keys/api-key.entity.js';
import { effectiveScopes } from '../api-keys/scopes.js';
import type { RateState } from '../limits/rate-limiter.js';
import type { VerdictDto } from './dto/verify.dto.js';
import type { BatchVerdict } from './batch-run.js';
import type { Verdict } from './verdict.js';

/** The verdict as the JSON of a `VerdictDto`. What is the same each time for a key is written once. */
export function verdictJson({ valid, code, key, charge }: Verdict): string {
  if (!valid) return `{"valid":false,"code":"${code}"${charge?.rate ? `,"rate_limit":${rateJson(charge.rate)}` : ''}}`;
  const rate = charge.rate ? rateJson(charge.rate) : 'null';
  return `{"valid":true,"code":"VALID",${key.derive(describe)},"remaining_uses":${charge.remainingUses},"rate_limit":${rate}}`;
}

/** One of a batch as the JSON of a `BatchVerdictDto`. */
export function batchVerdictJson(verdict: BatchVerdict): string {
  if (verdict.code !== 'UNAVAILABLE') return verdictJson(verdict);
  return `{"valid":false,"code":"UNAVAILABLE","retry_after_seconds":${verdict.retryAfterSeconds}}`;
}

function rateJson({ limit, remaining, resetSeconds }: RateState): string {
  return `{"limit":${limit},"remaining":${remaining},"reset_seconds":${resetSeconds}}`;
}

/** JSON without its braces, to be continued. */
function describe({ id, ownerId, name, scopes, expiresAt }: ApiKey): string {
  const description: Partial<VerdictDto> = {
    key_id: id,
    owner_id: ownerId,
    name,
    scopes: effectiveScopes(scopes),
    expires_at: expiresAt?.toISOString() ?? null,
  };
  return JSON.stringify(description).slice(1, -1);
}
