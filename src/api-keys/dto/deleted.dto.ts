import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { CascadeProgress } from '../cascades/cascades.js';

@ApiSchema({ name: 'Revoked' })
class RevokedDto {
  @ApiProperty({ type: 'integer', description: 'How many keys are revoked so far, including this one' })
  revoked: number;

  @ApiProperty({
    description:
      '`false` while rows of descendants are still being written: they are refused already, and shown as revoked later',
  })
  complete: boolean;
}

/** The documented answer to a deletion, and its progress. */
@ApiSchema({ name: 'Deleted' })
export class DeletedDto {
  @ApiProperty({ enum: ['API key has been deleted'] })
  message: string;

  @ApiProperty({ type: RevokedDto })
  data: RevokedDto;

  @ApiProperty({ enum: ['success'] })
  status: 'success';

  static of({ revoked, isComplete }: CascadeProgress): DeletedDto {
    return { message: 'API key has been deleted', data: { revoked, complete: isComplete }, status: 'success' };
  }
}
