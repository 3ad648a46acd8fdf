import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { toCursor } from '../../http/validation/cursor.js';
import { type ApiKey, REVOKED_REASONS, type RevokedReason } from '../api-key.entity.js';
import { KEY_STATUSES, type KeyStatus } from '../key-status.js';
import type { KeyPage } from '../search/key-search.js';
import { credentialOf } from '@w3ipfs/api-keys-guard/decision';
import { type GivenScopes, normalizeScopes } from '../../principals/scopes.js';
import { ApiScopes } from './key-scopes.decorator.js';
import { LimitsDto } from './limits.dto.js';

/** A key and its new secret, which cannot be retrieved later. */
interface IssuedKey {
  key: ApiKey;
  secretKey: string;
}

/** The previous secret, during its overlap: whether it is still in use. */
@ApiSchema({ name: 'Rotation' })
export class RotationDto {
  @ApiProperty({ format: 'date-time' })
  previous_secret_expires_at: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  previous_secret_last_used_at: string | null;

  static of({ previousSecretExpiresAt, previousSecretLastUsedAt }: ApiKey): RotationDto | null {
    return (
      previousSecretExpiresAt && {
        previous_secret_expires_at: previousSecretExpiresAt.toISOString(),
        previous_secret_last_used_at: previousSecretLastUsedAt?.toISOString() ?? null,
      }
    );
  }
}

/** A key as it is shown: without its secret or the secret's hash. Times are RFC 3339 in UTC. */
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

  @ApiProperty({ enum: KEY_STATUSES, enumName: 'KeyStatus' })
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

  @ApiProperty({ type: RotationDto, nullable: true, description: 'The last rotation, if it had an overlap' })
  rotation: RotationDto | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  revoked_at: string | null;

  @ApiProperty({ enum: REVOKED_REASONS, enumName: 'RevokedReason', nullable: true })
  revoked_reason: RevokedReason | null;

  /** @param now milliseconds since 1970 */
  static of(key: ApiKey, now: number): ApiKeyDto {
    return {
      id: key.id,
      name: key.name,
      api_key: key.identifier,
      scopes: normalizeScopes(key.scopes),
      limits: LimitsDto.of(key.limits),
      metadata: key.metadata,
      status: key.statusAt(now),
      uses: key.uses,
      last_used_at: key.lastUsedAt?.toISOString() ?? null,
      created_at: key.createdAt.toISOString(),
      updated_at: key.updatedAt.toISOString(),
      issued_by: key.issuedBy,
      rotation: RotationDto.of(key),
      revoked_at: key.revokedAt?.toISOString() ?? null,
      revoked_reason: key.revokedReason,
    };
  }
}

/** A page of the list. */
@ApiSchema({ name: 'ApiKeyPage' })
export class ApiKeyPageDto {
  @ApiProperty({
    type: 'integer',
    description:
      'The number of keys on all pages. With filters, how many of the newest 10,001 keys match (with ' +
      '`status=revoked`, of the newest 10,001 revoked ones): 10,001 stands for more than 10,000',
  })
  total: number;

  @ApiProperty({ type: [ApiKeyDto] })
  api_keys: ApiKeyDto[];

  @ApiProperty({
    type: String,
    nullable: true,
    description:
      '`null` on the last page. With filters, a page searches at most 10,001 keys: it may have fewer than `limit`, ' +
      'or none, and still have a next page',
  })
  next_cursor: string | null;

  static of({ total, apiKeys, next }: KeyPage, now: number): ApiKeyPageDto {
    return { total, api_keys: apiKeys.map((key) => ApiKeyDto.of(key, now)), next_cursor: toCursor(next) };
  }
}

/** A new key with its secret. */
@ApiSchema({ name: 'IssuedApiKey' })
export class IssuedApiKeyDto {
  @ApiProperty({ example: 'test-api-key' })
  name: string;

  @ApiProperty({ pattern: '^w3k_[0-9A-Za-z]{20}$', example: 'w3k_3mJ0vXq8TzKc1RbYdNfA' })
  api_key: string;

  @ApiProperty({ pattern: '^w3s_[0-9A-Za-z]{40}$', description: 'Store it now: it cannot be retrieved later' })
  secret_key: string;

  @ApiProperty({
    pattern: '^w3k_[0-9A-Za-z]{20}\\.w3s_[0-9A-Za-z]{40}$',
    description: 'Both in one string, for `Authorization: Bearer`; as secret as `secret_key`',
  })
  credential: string;

  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiScopes()
  scopes: GivenScopes;

  @ApiProperty({ type: LimitsDto })
  limits: LimitsDto;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  metadata: Record<string, string>;

  @ApiProperty({ format: 'date-time' })
  created_at: string;

  static of({ key, secretKey }: IssuedKey): IssuedApiKeyDto {
    return {
      name: key.name,
      api_key: key.identifier,
      secret_key: secretKey,
      credential: credentialOf({ apiKey: key.identifier, secretKey }),
      id: key.id,
      scopes: normalizeScopes(key.scopes),
      limits: LimitsDto.of(key.limits),
      metadata: key.metadata,
      created_at: key.createdAt.toISOString(),
    };
  }
}

/** A key with its new secret, and until when the previous one stays valid. */
@ApiSchema({ name: 'RotatedApiKey' })
export class RotatedApiKeyDto extends IssuedApiKeyDto {
  @ApiProperty({ type: RotationDto, nullable: true, description: '`null` without an overlap' })
  rotation: RotationDto | null;

  static override of(rotated: IssuedKey): RotatedApiKeyDto {
    return Object.assign(IssuedApiKeyDto.of(rotated), { rotation: RotationDto.of(rotated.key) });
  }
}
