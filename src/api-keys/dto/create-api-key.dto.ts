import { ApiSchema } from '@nestjs/swagger';
import { KeyName } from './key-name.decorator.js';
import { KeyScopes } from './key-scopes.decorator.js';
import { GivenLimits, GivenLimitsDto, toKeyLimits } from './limits.dto.js';
import { KeyMetadata } from './metadata.decorator.js';
import type { GivenScopes } from '../../principals/scopes.js';
import type { KeyRequest } from '../issuing/key-writer.js';

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

export function toKeyRequest({ limits = {}, ...rest }: CreateApiKeyDto): KeyRequest {
  return { ...rest, limits: toKeyLimits(limits) };
}
