import { ApiProperty } from '@nestjs/swagger';
import { IsIn } from 'class-validator';

/** The query of `DELETE /api/apiKeys/:id`. */
export class DeleteQuery {
  @IsIn(['true', 'false'], { message: 'must be true or false' })
  @ApiProperty({
    enum: ['true', 'false'],
    default: 'false',
    required: false,
    description:
      'Whether to revoke all descendants, too: the keys that the key has issued, those that they have issued, and so on',
  })
  cascade = 'false';
}
