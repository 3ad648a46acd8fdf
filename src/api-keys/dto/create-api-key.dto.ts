import { ApiSchema } from '@nestjs/swagger';
import { KeyName } from './key-name.decorator.js';
import { KeyScopes } from './key-scopes.decorator.js';
import { GivenLimits, GivenLimitsDto } from './limits.dto.js';
import { KeyMetadata } from './metadata.decorator.js';
import type { GivenScopes } from '../../principals/scopes.js';

/** The body of `POST /api/apiKeys`. */
@ApiSchema({ name: 'CreateApiKeyRequest' })
export class CreateApiKeyDto {
  @KeyName()
  name: string;

  @KeyScopes()
  scopes: GivenScopes;

  @GivenLimits()
  limits?: GivenLimitsDto;

  @KeyMetadata()
  metadata?: Record<string, string>;
}
