import { ApiProperty, ApiSchema } from '@nestjs/swagger';

@ApiSchema({ name: 'Revoked' })
class RevokedDto {
  @ApiProperty({ type: 'integer', description: 'How many keys were revoked, this one included' })
  revoked: number;
}

/** The documented answer to a deletion, which has no `data` but with `?cascade=true`. */
@ApiSchema({ name: 'Deleted' })
export class DeletedDto {
  @ApiProperty({ enum: ['API key has been deleted'] })
  message: string;

  @ApiProperty({ type: RevokedDto, required: false })
  data?: RevokedDto;

  @ApiProperty({ enum: ['success'] })
  status: 'success';
}
