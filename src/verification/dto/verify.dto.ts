import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiProperty, ApiSchema, getSchemaPath, OmitType } from '@nestjs/swagger';
import { ScopesDto } from '../../api-keys/dto/scopes.dto.js';
import { effectiveScopes, SCOPES, type Scopes } from '../../api-keys/scopes.js';
import type { BatchVerdict } from '../batch-run.js';
import { REFUSALS, type Verdict } from '../verdict.js';

/** Describes what `readVerifyRequest()` reads besides the credentials. */
class NeedDto {
  @ApiProperty({
    required: false,
    description: 'The scope that is needed, or a list of which all are',
    oneOf: [
      { type: 'string', enum: [...SCOPES] },
      { type: 'array', items: { type: 'string', enum: [...SCOPES] }, minItems: 1 },
    ],
  })
  scope?: string | string[];

  @ApiProperty({ required: false, description: "The client's address, IPv4 or IPv6", example: '203.0.113.7' })
  ip?: string;

  @ApiProperty({ required: false, type: 'integer', minimum: 0, maximum: 1_000_000, default: 1 })
  cost?: number;
}

@ApiSchema({ name: 'VerifyPairRequest' })
class VerifyPairRequestDto extends NeedDto {
  @ApiProperty({ example: 'w3k_3mJ0vXq8TzKc1RbYdNfA' })
  api_key: string;

  @ApiProperty({ description: 'As the client presented it' })
  secret_key: string;
}

@ApiSchema({ name: 'VerifyCredentialRequest' })
class VerifyCredentialRequestDto extends NeedDto {
  @ApiProperty({ description: 'As the client presented it: the `api_key`, a dot and the `secret_key`' })
  credential: string;
}

const VERIFY_REQUESTS = [VerifyPairRequestDto, VerifyCredentialRequestDto];
const ONE_REQUEST = { oneOf: VERIFY_REQUESTS.map((dto) => ({ $ref: getSchemaPath(dto) })) };

/** The body of `POST /api/apiKeys/verify`. */
export function ApiVerifyBody(): MethodDecorator {
  return applyDecorators(
    ApiExtraModels(...VERIFY_REQUESTS),
    ApiBody({ schema: ONE_REQUEST, examples: REQUEST_EXAMPLES }),
  );
}

/** Describes what `readVerifyBatch()` reads. */
@ApiSchema({ name: 'VerifyBatchRequest' })
export class VerifyBatchRequestDto {
  @ApiProperty({ type: 'array', items: ONE_REQUEST, minItems: 1, maxItems: 100 })
  requests: (VerifyPairRequestDto | VerifyCredentialRequestDto)[];
}

/** How a key stands to its rate limit, after the verdict. */
@ApiSchema({ name: 'RateState' })
export class RateStateDto {
  @ApiProperty({ type: 'integer' })
  limit: number;

  @ApiProperty({ type: 'integer' })
  remaining: number;

  @ApiProperty({ type: 'integer', description: 'Until all of the limit is there again' })
  reset_seconds: number;
}

/** A verdict as a service gets it; what a valid key may do is there for `VALID` alone. */
@ApiSchema({ name: 'Verdict' })
export class VerdictDto {
  @ApiProperty()
  valid: boolean;

  @ApiProperty({ enum: [...REFUSALS, 'VALID'] })
  code: Verdict['code'];

  @ApiProperty({ format: 'uuid', required: false })
  key_id?: string;

  @ApiProperty({ required: false })
  owner_id?: string;

  @ApiProperty({ required: false })
  name?: string;

  @ApiProperty({ type: ScopesDto, required: false })
  scopes?: Scopes;

  @ApiProperty({ type: 'integer', nullable: true, required: false, description: '`null` without `max_uses`' })
  remaining_uses?: number | null;

  @ApiProperty({
    type: RateStateDto,
    nullable: true,
    required: false,
    description: '`null` without a rate limit; with `RATE_LIMITED` too',
  })
  rate_limit?: RateStateDto | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, required: false })
  expires_at?: string | null;
}

/** One of a batch: a verdict, or that there is none now. */
@ApiSchema({ name: 'BatchVerdict' })
export class BatchVerdictDto extends OmitType(VerdictDto, ['code']) {
  @ApiProperty({ enum: [...REFUSALS, 'VALID', 'UNAVAILABLE'] })
  code: BatchVerdict['code'];

  @ApiProperty({
    type: 'integer',
    required: false,
    description: 'With `UNAVAILABLE`: in how many seconds to ask again',
  })
  retry_after_seconds?: number;
}

@ApiSchema({ name: 'VerdictBatch' })
export class VerdictBatchDto {
  @ApiProperty({ type: [BatchVerdictDto] })
  verdicts: BatchVerdictDto[];
}

export const BATCH_NOTE =
  'Each request settles for itself. One that cannot be decided now, because a dependency is away or too many wait for ' +
  'it, is `UNAVAILABLE`: it was charged nothing, and says in `retry_after_seconds` when to ask for it again. Further ' +
  'requests on the same key in the batch are `UNAVAILABLE` then too. A batch counts for as many requests as it holds ' +
  'where load is shed, and gives way before single requests: then it is answered 503 as a whole, and nothing was charged.';

export const VERDICT_EXAMPLE: VerdictDto = {
  valid: true,
  code: 'VALID',
  key_id: '01a20b9d-c4d9-7123-b878-6eb9911deb3f',
  owner_id: '0714f35b-08aa-4c2b-9df4-ddaa276d4ed0',
  name: 'test-api-key',
  scopes: effectiveScopes({ admin: true }),
  remaining_uses: null,
  rate_limit: { limit: 180, remaining: 179, reset_seconds: 60 },
  expires_at: null,
};

export const BATCH_EXAMPLE: VerdictBatchDto = {
  verdicts: [VERDICT_EXAMPLE, { valid: false, code: 'UNAVAILABLE', retry_after_seconds: 2 }],
};

const REQUEST_EXAMPLES = {
  one: {
    summary: 'May this key upload?',
    value: {
      api_key: 'w3k_3mJ0vXq8TzKc1RbYdNfA',
      secret_key: 'w3s_Zk4pQ9xWm2LtB7vYcR1nHsD6fJgK3aUeXoTi5wP0',
      scope: 'pinning.pin_file_to_ipfs',
    },
  },
  credential: {
    summary: 'The same, by a credential',
    value: {
      credential: 'w3k_3mJ0vXq8TzKc1RbYdNfA.w3s_Zk4pQ9xWm2LtB7vYcR1nHsD6fJgK3aUeXoTi5wP0',
      scope: 'pinning.pin_file_to_ipfs',
    },
  },
};
