import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { ScopesDto } from '../../api-keys/dto/scopes.dto.js';
import type { Scopes } from '../../principals/scopes.js';
import { ApiUnion } from '../../openapi/union.decorator.js';
import type { RateState } from '../../limits/rate-limiter.js';
import type { BatchVerdict } from '../batch-run.js';
import type { Verdict } from '../verdict.js';
import { type Grant, GrantDto } from './grant.dto.js';
import { REFUSALS } from '@w3ipfs/api-keys-guard/decision';

/** The state of a key's rate limit, after the verdict. */
@ApiSchema({ name: 'RateState' })
export class RateStateDto {
  @ApiProperty({ type: 'integer' })
  limit: number;

  @ApiProperty({ type: 'integer' })
  remaining: number;

  @ApiProperty({ type: 'integer', description: 'Until the whole limit is available again; at least 1 for a refusal' })
  reset_seconds: number;
}

/** Valid: the key's owner, scopes and remaining limits. */
@ApiSchema({ name: 'ValidVerdict' })
export class ValidVerdictDto {
  @ApiProperty({ type: Boolean, enum: [true] })
  valid: true;

  @ApiProperty({ type: String, enum: ['VALID'] })
  code: 'VALID';

  @ApiProperty({ format: 'uuid' })
  key_id: string;

  @ApiProperty()
  owner_id: string;

  @ApiProperty()
  name: string;

  @ApiProperty({ type: ScopesDto })
  scopes: Scopes;

  @ApiProperty({ type: 'integer', nullable: true, description: '`null` without `max_uses`' })
  remaining_uses: number | null;

  @ApiProperty({ type: RateStateDto, nullable: true, description: '`null` without a rate limit' })
  rate_limit: RateStateDto | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  expires_at: string | null;

  @ApiProperty({ type: GrantDto, required: false, description: 'If the request asks for it' })
  grant?: Grant;
}

/** Refused only for its rate: retry after `reset_seconds`; a cost above `limit` is always refused. */
@ApiSchema({ name: 'RateLimitedVerdict' })
class RateLimitedVerdictDto {
  @ApiProperty({ type: Boolean, enum: [false] })
  valid: false;

  @ApiProperty({ type: String, enum: ['RATE_LIMITED'] })
  code: 'RATE_LIMITED';

  @ApiProperty({ type: RateStateDto })
  rate_limit: RateStateDto;
}

const OTHER_REFUSALS = REFUSALS.filter((code) => code !== 'RATE_LIMITED');

/** Refused for another reason. */
@ApiSchema({ name: 'RefusedVerdict' })
class RefusedVerdictDto {
  @ApiProperty({ type: Boolean, enum: [false] })
  valid: false;

  @ApiProperty({ enum: OTHER_REFUSALS })
  code: (typeof OTHER_REFUSALS)[number];

  @ApiProperty({
    type: GrantDto,
    required: false,
    description: 'If the request asks for it, and the key itself is good: with IP_NOT_ALLOWED and INSUFFICIENT_SCOPE',
  })
  grant?: Grant;
}

/** Undecided for now, and not charged. */
@ApiSchema({ name: 'UnavailableVerdict' })
class UnavailableVerdictDto {
  @ApiProperty({ type: Boolean, enum: [false] })
  valid: false;

  @ApiProperty({ type: String, enum: ['UNAVAILABLE'] })
  code: 'UNAVAILABLE';

  @ApiProperty({ type: 'integer', description: 'Retry after this many seconds' })
  retry_after_seconds: number;
}

/** A verdict for a service; `valid` and `code` are the discriminators. */
@ApiUnion('Verdict', ValidVerdictDto, RateLimitedVerdictDto, RefusedVerdictDto)
export class VerdictDto {}

/** One of a batch: a verdict, or that it is undecided. */
@ApiUnion('BatchVerdict', ValidVerdictDto, RateLimitedVerdictDto, RefusedVerdictDto, UnavailableVerdictDto)
class BatchVerdictDto {}

@ApiSchema({ name: 'VerdictBatch' })
export class VerdictBatchDto {
  @ApiProperty({ type: [BatchVerdictDto] })
  verdicts: BatchVerdictDto[];
}

/** A verdict for a service; `verdictJson()` writes the same as text. */
export function toVerdictDto({ valid, code, key, charge }: Verdict, grant?: Grant): VerdictDto {
  if (!valid)
    return { valid, code, ...(charge?.rate && { rate_limit: toRateStateDto(charge.rate) }), ...(grant && { grant }) };
  return {
    valid,
    code,
    key_id: key.id,
    owner_id: key.ownerId,
    name: key.name,
    scopes: key.scopes,
    expires_at: key.expiresAt === null ? null : new Date(key.expiresAt).toISOString(),
    remaining_uses: charge.remainingUses,
    rate_limit: charge.rate ? toRateStateDto(charge.rate) : null,
    ...(grant && { grant }),
  };
}

/** One of a batch. */
export function toBatchVerdictDto(verdict: BatchVerdict, grant?: Grant): VerdictDto {
  if (verdict.code !== 'UNAVAILABLE') return toVerdictDto(verdict, grant);
  return { valid: false, code: verdict.code, retry_after_seconds: verdict.retryAfterSeconds };
}

function toRateStateDto({ limit, remaining, resetSeconds }: RateState): RateStateDto {
  return { limit, remaining, reset_seconds: resetSeconds };
}
