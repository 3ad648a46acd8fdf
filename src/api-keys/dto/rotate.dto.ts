import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import { Optional } from '../../http/validation/optional.decorator.js';
import { OptionalBody } from '../../http/validation/optional-body.decorator.js';

/** A week. */
const MAX_OVERLAP = 604_800;
const message = `must be a whole number from 0 to ${MAX_OVERLAP}`;

/** The body of `POST /api/apiKeys/:id/rotate`, which may be left out. */
@OptionalBody()
@ApiSchema({ name: 'RotateApiKeyRequest' })
export class RotateApiKeyDto {
  @Optional()
  @Max(MAX_OVERLAP, { message })
  @Min(0, { message })
  @IsInt({ message })
  @ApiProperty({
    type: 'integer',
    minimum: 0,
    maximum: MAX_OVERLAP,
    required: false,
    description: 'For how long the old secret works beside the new one; 0, or left out: it ends at once',
  })
  overlap_seconds?: number;
}
