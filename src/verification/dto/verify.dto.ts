import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiProperty, ApiSchema, getSchemaPath } from '@nestjs/swagger';
import { ScopesDto } from '../../api-keys/dto/scopes.dto.js';
import { effectiveScopes, type Scopes } from '../../api-keys/scopes.js';
import { ApiUnion } from '../../openapi/union.decorator.js';
import { REFUSALS } from '../verdict.js';

/** Describes what `readVerifyRequest()` reads besides the credentials. */
class NeedDto {
  @ApiProperty({
    required: false,
    description: 'The scope that is needed, or a list of which all are',
    // The schema is that of `ListApiKeysQuery`
    oneOf: [{ $ref: getSchemaPath('Scope') }, { type: 'array', items: { $ref: getSchemaPath('Scope') }, minItems: 1 }],
  })
  scope?: string | string[];

  @ApiProperty({ required: false, description: "The client's address, IPv4 or IPv6", example: '203.0.113.7' })
  ip?: string;

  @ApiProperty({
    required: false,
    type: 'integer',
    minimum: 0,
    maximum: 1_000_000,
    description:
      'How much it weighs against the uses and the rate of the key: 1 where it is left out; 0 asks free of charge',
  })
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

/** Valid: whose key it is, what it may do, and how it stands to its limits. */
@ApiSchema({ name: 'ValidVerdict' })
class ValidVerdictDto {
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
}

/** Refused for its rate alone: `reset_seconds` says when to try again. */
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

/** Refused for anything else. */
@ApiSchema({ name: 'RefusedVerdict' })
class RefusedVerdictDto {
  @ApiProperty({ type: Boolean, enum: [false] })
  valid: false;

  @ApiProperty({ enum: OTHER_REFUSALS })
  code: (typeof OTHER_REFUSALS)[number];
}

/** There is no verdict now, and nothing was charged. */
@ApiSchema({ name: 'UnavailableVerdict' })
class UnavailableVerdictDto {
  @ApiProperty({ type: Boolean, enum: [false] })
  valid: false;

  @ApiProperty({ type: String, enum: ['UNAVAILABLE'] })
  code: 'UNAVAILABLE';

  @ApiProperty({ type: 'integer', description: 'In how many seconds to ask again' })
  retry_after_seconds: number;
}

/** A verdict as a service gets it: told apart by `valid` and `code`. */
@ApiUnion('Verdict', ValidVerdictDto, RateLimitedVerdictDto, RefusedVerdictDto)
export class VerdictDto {}

/** One of a batch: a verdict, or that there is none now. */
@ApiUnion('BatchVerdict', ValidVerdictDto, RateLimitedVerdictDto, RefusedVerdictDto, UnavailableVerdictDto)
class BatchVerdictDto {}

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

export const VERDICT_EXAMPLE: ValidVerdictDto = {
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

export const BATCH_REQUEST_EXAMPLES = {
  several: {
    summary: 'May this key upload, and is this one known at all?',
    value: {
      requests: [
        REQUEST_EXAMPLES.one.value,
        {
          api_key: 'w3k_9hQ2sLd7WmX4vBzKtRfN',
          secret_key: 'w3s_Bq7nTz4LkWxR2mVhYcD9sGpJ6fUa3eKoXi8vN1Zt',
          ip: '203.0.113.7',
          cost: 0,
        },
      ],
    },
  },
};
