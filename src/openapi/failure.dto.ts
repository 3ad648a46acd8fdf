import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { ERROR_CODES, type ErrorCode } from '../http/errors/error-codes.js';
import { UNAUTHENTICATED_REASONS, type UnauthenticatedReason } from '@w3ipfs/api-keys-guard/decision';

@ApiSchema({ name: 'ErrorDetail' })
export class ErrorDetailDto {
  @ApiProperty({ example: 'scopes.data.pin_list' })
  path: string;

  @ApiProperty({ example: 'must be true or false' })
  message: string;
}

/** Not named `Error`, which most languages define already. */
@ApiSchema({ name: 'ApiError' })
class ApiErrorDto {
  @ApiProperty({ enum: Object.keys(ERROR_CODES), enumName: 'ErrorCode' })
  code: ErrorCode;

  @ApiProperty()
  message: string;

  @ApiProperty({
    required: false,
    enum: UNAUTHENTICATED_REASONS,
    enumName: 'UnauthenticatedReason',
    description: 'For `unauthenticated`: what is known about the credentials',
  })
  reason?: UnauthenticatedReason;

  @ApiProperty({ required: false, type: [ErrorDetailDto] })
  details?: ErrorDetailDto[];
}

/** Documents the envelope of errors that `failure()` returns. */
@ApiSchema({ name: 'Failure' })
export class FailureDto {
  @ApiProperty({ enum: ['error'] })
  status: string;

  @ApiProperty({ type: ApiErrorDto })
  error: ApiErrorDto;

  @ApiProperty({ description: 'The same as in the header `X-Request-Id`' })
  request_id: string;
}
