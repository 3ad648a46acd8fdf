import { ApiProperty, ApiSchema } from '@nestjs/swagger';

/** The documented answer to a deletion, which has no `data`. */
@ApiSchema({ name: 'Deleted' })
export class DeletedDto {
  @ApiProperty({ enum: ['API key has been deleted'] })
  message: string;

  @ApiProperty({ enum: ['success'] })
  status: 'success';
}
