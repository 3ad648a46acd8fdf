import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { type ApiKey, KEY_STATUSES, type KeyStatus } from '../api-key.entity.js';
import type { IssuedKey } from '../api-keys.service.js';
import type { GivenScopes } from '../scopes.js';
import { ApiScopes } from './key-scopes.decorator.js';
import { LimitsDto } from './limits.dto.js';

/** A key as it is shown: never its secret, nor the secret's hash. Times are RFC 3339 in UTC. */
@ApiSchema({ name: 'ApiKey' })
export class ApiKeyDto {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ example: 'test-api-key' })
  name: string;

  @ApiProperty({ pattern: '^w3k_[0-9A-Za-z]{20}$', example: 'w3k_3mJ0vXq8TzKc1RbYdNfA' })
  api_key: string;

  @ApiScopes()
  scopes: GivenScopes;

  @ApiProperty({ type: LimitsDto })
  limits: LimitsDto;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;

  @ApiProperty({ enum: KEY_STATUSES })
  status: KeyStatus;

  @ApiProperty({ type: 'integer', description: 'How often it was used' })
  uses: number;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  last_used_at: string | null;

  @ApiProperty({ format: 'date-time' })
  created_at: string;

  @ApiProperty({ format: 'date-time' })
  updated_at: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'The key that issued it, if a key did' })
  issued_by: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  revoked_at: string | null;

  /** @param now milliseconds since 1970 */
  static of(key: ApiKey, now: number): ApiKeyDto {
    return {
      id: key.id,
      name: key.name,
      api_key: key.apiKey,
      scopes: key.scopes,
      limits: LimitsDto.of(key.limits),
      metadata: key.metadata,
      status: key.statusAt(now),
      uses: key.uses,
      last_used_at: key.lastUsedAt?.toISOString() ?? null,
      created_at: key.createdAt.toISOString(),
      updated_at: key.updatedAt.toISOString(),
      issued_by: key.issuedBy,
      revoked_at: key.revokedAt?.toISOString() ?? null,
    };
  }
}

/** A page of the list. */
@ApiSchema({ name: 'ApiKeyPage' })
export class ApiKeyPageDto {
  @ApiProperty({ type: 'integer', description: 'How many keys there are on all pages' })
  total: number;

  @ApiProperty({ type: [ApiKeyDto] })
  api_keys: ApiKeyDto[];
}

/** A new key, with its secret: the only answer that ever holds one. */
@ApiSchema({ name: 'IssuedApiKey' })
export class IssuedApiKeyDto {
  @ApiProperty({ example: 'test-api-key' })
  name: string;

  @ApiProperty({ pattern: '^w3k_[0-9A-Za-z]{20}$', example: 'w3k_3mJ0vXq8TzKc1RbYdNfA' })
  api_key: string;

  @ApiProperty({ pattern: '^w3s_[0-9A-Za-z]{40}$', description: 'Record it: it is not accessible again' })
  secret_key: string;

  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiScopes()
  scopes: GivenScopes;

  @ApiProperty({ type: LimitsDto })
  limits: LimitsDto;

  @ApiProperty({ format: 'date-time' })
  created_at: string;

  static of({ apiKey: key, secretKey }: IssuedKey): IssuedApiKeyDto {
    return {
      name: key.name,
      api_key: key.apiKey,
      secret_key: secretKey,
      id: key.id,
      scopes: key.scopes,
      limits: LimitsDto.of(key.limits),
      created_at: key.createdAt.toISOString(),
    };
  }
}
