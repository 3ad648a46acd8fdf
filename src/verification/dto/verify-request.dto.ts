import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiProperty, ApiSchema, getSchemaPath } from '@nestjs/swagger';
import { REQUEST_EXAMPLES } from './verify-examples.js';

/** Describes the members that `readVerifyRequest()` reads besides the credentials. */
class RequirementsDto {
  @ApiProperty({
    required: false,
    description: 'The required scope, or a list of required scopes',
    // The schema is that of `ListApiKeysQuery`
    oneOf: [{ $ref: getSchemaPath('Scope') }, { type: 'array', items: { $ref: getSchemaPath('Scope') }, minItems: 1 }],
  })
  scope?: string | string[];

  @ApiProperty({
    required: false,
    description: "The client's address, IPv4 or IPv6, as sockets report it or proxies write it",
    example: '203.0.113.7',
  })
  ip?: string;

  @ApiProperty({
    required: false,
    type: 'integer',
    minimum: 0,
    maximum: 1_000_000,
    description:
      'The charge against the uses and the rate of the key: 1 by default; 0 verifies without charging. A cost above the ' +
      '`limit` of the key is always `RATE_LIMITED`, however long you wait',
  })
  cost?: number;

  @ApiProperty({
    required: false,
    description: 'For guards: whether they may decide on the key themselves from now on',
  })
  grant?: boolean;
}

@ApiSchema({ name: 'VerifyPairRequest' })
class VerifyPairRequestDto extends RequirementsDto {
  @ApiProperty({ example: 'w3k_3mJ0vXq8TzKc1RbYdNfA' })
  api_key: string;

  @ApiProperty({ description: 'As the client presented it' })
  secret_key: string;
}

@ApiSchema({ name: 'VerifyCredentialRequest' })
class VerifyCredentialRequestDto extends RequirementsDto {
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

/** Describes the body that `readVerifyBatch()` reads. */
@ApiSchema({ name: 'VerifyBatchRequest' })
export class VerifyBatchRequestDto {
  @ApiProperty({ type: 'array', items: ONE_REQUEST, minItems: 1, maxItems: 100 })
  requests: (VerifyPairRequestDto | VerifyCredentialRequestDto)[];
}

export const BATCH_NOTE =
  'Each request is decided separately. One that cannot be decided now, because a dependency is unavailable or too many ' +
  'requests wait for it, is `UNAVAILABLE`: it is not charged, and `retry_after_seconds` says when to retry it. Later ' +
  'requests on the same key in the batch are then `UNAVAILABLE` too. When load is shed, a batch counts as the number of ' +
  'its requests and is rejected before single requests: as a whole, with 503, and nothing is charged.';
