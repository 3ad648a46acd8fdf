import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiProperty, ApiSchema, getSchemaPath } from '@nestjs/swagger';
import { REQUEST_EXAMPLES } from './verify-examples.js';

/** Describes what `readVerifyRequest()` reads besides the credentials. */
class RequirementsDto {
  @ApiProperty({
    required: false,
    description: 'The scope that is needed, or a list of which all are',
    // The schema is that of `ListApiKeysQuery`
    oneOf: [{ $ref: getSchemaPath('Scope') }, { type: 'array', items: { $ref: getSchemaPath('Scope') }, minItems: 1 }],
  })
  scope?: string | string[];

  @ApiProperty({
    required: false,
    description: "The client's address, IPv4 or IPv6, as sockets have it or proxies write it",
    example: '203.0.113.7',
  })
  ip?: string;

  @ApiProperty({
    required: false,
    type: 'integer',
    minimum: 0,
    maximum: 1_000_000,
    description:
      'How much it weighs against the uses and the rate of the key: 1 where it is left out; 0 asks free of charge. More ' +
      'than the whole `limit` of the key never passes: it is `RATE_LIMITED`, however long you wait',
  })
  cost?: number;
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

/** Describes what `readVerifyBatch()` reads. */
@ApiSchema({ name: 'VerifyBatchRequest' })
export class VerifyBatchRequestDto {
  @ApiProperty({ type: 'array', items: ONE_REQUEST, minItems: 1, maxItems: 100 })
  requests: (VerifyPairRequestDto | VerifyCredentialRequestDto)[];
}

export const BATCH_NOTE =
  'Each request settles for itself. One that cannot be decided now, because a dependency is away or too many wait for ' +
  'it, is `UNAVAILABLE`: it was charged nothing, and says in `retry_after_seconds` when to ask for it again. Further ' +
  'requests on the same key in the batch are `UNAVAILABLE` then too. A batch counts for as many requests as it holds ' +
  'where load is shed, and gives way before single requests: then it is answered 503 as a whole, and nothing was charged.';
