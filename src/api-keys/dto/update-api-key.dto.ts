import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import { Optional } from '../../http/validation/optional.decorator.js';
import type { GivenScopes } from '../../principals/scopes.js';
import { KeyName } from './key-name.decorator.js';
import { KeyScopes } from './key-scopes.decorator.js';
import type { KeyPatch } from '../key-patch.js';
import { GivenLimits, GivenLimitsDto, toKeyLimits } from './limits.dto.js';
import { KeyMetadata } from './metadata.decorator.js';

/** The body of `PATCH /api/apiKeys/:id`: properties left out stay as they are. */
@ApiSchema({ name: 'UpdateApiKeyRequest' })
export class UpdateApiKeyDto {
  @Optional()
  @KeyName({ required: false })
  name?: string;

  @Optional()
  @KeyScopes({ required: false })
  scopes?: GivenScopes;

  @GivenLimits()
  limits?: GivenLimitsDto;

  @KeyMetadata()
  metadata?: Record<string, string>;

  @Optional()
  @IsBoolean({ message: 'must be true or false' })
  @ApiProperty({ required: false, description: 'A disabled key is refused until it is enabled again' })
  enabled?: boolean;
}

export function toKeyPatch({ limits, ...rest }: UpdateApiKeyDto): KeyPatch {
  return { ...rest, ...(limits && { limits: toKeyLimits(limits) }) };
}
