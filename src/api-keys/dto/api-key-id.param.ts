import { ApiProperty } from '@nestjs/swagger';
import { IsUUID } from 'class-validator';

/** The path of what concerns one key. */
export class ApiKeyIdParam {
  @IsUUID('all', { message: 'must be the id of a key, a UUID' })
  @ApiProperty({ format: 'uuid' })
  id: string;
}
