import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { Matches } from 'class-validator';
import { KeyScopes } from './key-scopes.decorator.js';
import { GivenLimits, GivenLimitsDto } from './limits.dto.js';
import { KeyMetadata } from './metadata.decorator.js';
import type { GivenScopes } from '../scopes.js';

/** Neither control characters nor lone surrogates, which PostgreSQL does not store. */
const NAME = /^[^\p{Cc}\p{Cs}]{1,100}$/u;

/** The body of `POST /api/apiKeys`. */
@ApiSchema({ name: 'CreateApiKey' })
export class CreateApiKeyDto {
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value))
  @Matches(NAME, { message: 'must be a string of 1 to 100 characters, none of them a control character' })
  @ApiProperty({ minLength: 1, maxLength: 100, description: 'A name for easy reference', example: 'test-api-key' })
  name: string;

  @KeyScopes()
  scopes: GivenScopes;

  @GivenLimits()
  limits?: GivenLimitsDto;

  @KeyMetadata()
  metadata?: Record<string, string>;
}
