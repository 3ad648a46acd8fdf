import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import { IfGiven } from '../../http/validation/optional.decorator.js';
import { OptionalBody } from '../../http/validation/optional-body.decorator.js';

/** A week. */
const LONGEST_OVERLAP = 604_800;
const message = `must be a whole number from 0 to ${LONGEST_OVERLAP}`;

/** The body of `POST /api/apiKeys/:id/rotate`, which may be left out. */
@OptionalBody()
@ApiSchema({ name: 'RotateApiKeyRequest' })
export class RotateApiKeyDto {
  @IfGiven()
  @Max(LONGEST_OVERLAP, { message })
  @Min(0, { message })
  @IsInt({ message })
  @ApiProperty({
    type: 'integer',
    minimum: 0,
    maximum: LONGEST_OVERLAP,
    required: false,
    description: 'For how long the old secret works beside the new one; 0, or left out: it ends at once',
  })
  overlap_seconds?: number;
}
