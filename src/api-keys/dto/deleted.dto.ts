import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { CascadeProgress } from '../cascades/cascades.js';

@ApiSchema({ name: 'Revoked' })
class RevokedDto {
  @ApiProperty({ type: 'integer', description: 'How many keys are revoked so far, this one included' })
  revoked: number;

  @ApiProperty({
    description:
      'With `false`, what descends from the key is refused already, and shown as revoked once the rest of it is written',
  })
  complete: boolean;
}

/** The documented answer to a deletion, and how far it has got. */
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
