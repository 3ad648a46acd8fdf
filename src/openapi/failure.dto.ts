import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { ERROR_CODES, type ErrorCode } from '../contract/error-codes.js';

@ApiSchema({ name: 'ErrorDetail' })
export class ErrorDetailDto {
  @ApiProperty({ example: 'scopes.data.pin_list' })
  path: string;

  @ApiProperty({ example: 'must be true or false' })
  message: string;
}

@ApiSchema({ name: 'Error' })
class ErrorDto {
  @ApiProperty({ enum: Object.keys(ERROR_CODES) })
  code: ErrorCode;

  @ApiProperty()
  message: string;

  @ApiProperty({ required: false, description: 'For `unauthenticated`: what is known about the credentials' })
  reason?: string;

  @ApiProperty({ required: false, type: [ErrorDetailDto] })
  details?: ErrorDetailDto[];
}

/** Documents the envelope of failures, which `failure()` makes. */
@ApiSchema({ name: 'Failure' })
export class FailureDto {
  @ApiProperty({ enum: ['error'] })
  status: string;

  @ApiProperty({ type: ErrorDto })
  error: ErrorDto;

  @ApiProperty({ description: 'As in the header `X-Request-Id`' })
  request_id: string;
}
