import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import { Optional } from '../../http/validation/optional.decorator.js';
import { OptionalBody } from '../../http/validation/optional-body.decorator.js';

/** A week. */
const MAX_OVERLAP_SECONDS = 604_800;
const message = `must be a whole number from 0 to ${MAX_OVERLAP_SECONDS}`;

/** The body of `POST /api/apiKeys/:id/rotate`, which is optional. */
@OptionalBody()
@ApiSchema({ name: 'RotateApiKeyRequest' })
export class RotateApiKeyDto {
  @Optional()
  @Max(MAX_OVERLAP_SECONDS, { message })
  @Min(0, { message })
  @IsInt({ message })
  @ApiProperty({
    type: 'integer',
    minimum: 0,
    maximum: MAX_OVERLAP_SECONDS,
    required: false,
    description: 'How long the previous secret stays valid besides the new one; 0, or left out: not at all',
  })
  overlap_seconds?: number;
}
