import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { IsBoolean, ValidateIf } from 'class-validator';
import type { GivenScopes } from '../scopes.js';
import { KeyName } from './key-name.decorator.js';
import { KeyScopes } from './key-scopes.decorator.js';
import { GivenLimits, GivenLimitsDto } from './limits.dto.js';
import { KeyMetadata } from './metadata.decorator.js';

const isGiven = (_: unknown, value: unknown) => value !== undefined;

/** The body of `PATCH /api/apiKeys/:id`: what is left out stays as it is. */
@ApiSchema({ name: 'UpdateApiKeyRequest' })
export class UpdateApiKeyDto {
  @ValidateIf(isGiven)
  @KeyName({ required: false })
  name?: string;

  @ValidateIf(isGiven)
  @KeyScopes({ required: false })
  scopes?: GivenScopes;

  @GivenLimits()
  limits?: GivenLimitsDto;

  @KeyMetadata()
  metadata?: Record<string, string>;

  @ValidateIf(isGiven)
  @IsBoolean({ message: 'must be true or false' })
  @ApiProperty({ required: false, description: 'A disabled key is refused until it is enabled again' })
  enabled?: boolean;
}
