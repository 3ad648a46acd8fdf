import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { ApiUnion } from '../../openapi/union.decorator.js';
import { SCOPES } from '../../principals/scopes.js';

/** Why a guard has to ask for each verdict on a key. `quota` and `owner`: reserved for limits that do not exist yet. */
export const NOT_GRANTED = ['max_uses', 'rate_limit', 'quota', 'owner', 'pending', 'unconfirmed'] as const;
export type NotGranted = (typeof NOT_GRANTED)[number];

/** What a guard may decide by, until one of the key's changes. Durations, since clocks differ. */
@ApiSchema({ name: 'CacheableGrant' })
export class CacheableGrantDto {
  @ApiProperty({ type: Boolean, enum: [true] })
  cacheable: true;

  @ApiProperty({ description: 'It includes all changes of transactions with lower ids' })
  position: string;

  @ApiProperty({ description: 'The epoch of the position; see `GET /apiKeys/changes`' })
  epoch: string;

  @ApiProperty({ format: 'uuid' })
  key_id: string;

  @ApiProperty()
  owner_id: string;

  @ApiProperty()
  name: string;

  @ApiProperty({ enum: SCOPES, isArray: true, description: 'All effective scopes' })
  scopes: string[];

  @ApiProperty({ type: [String], nullable: true, description: '`null` for anywhere' })
  allowed_cidrs: string[] | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  expires_at: string | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'From when the request was sent' })
  expires_in_ms: number | null;

  @ApiProperty({ enum: ['current', 'previous'], description: 'Which of the secrets was presented' })
  which: 'current' | 'previous';

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Until the previous secret ends, from when the request was sent',
  })
  overlap_ends_in_ms: number | null;

  @ApiProperty({ type: [String], description: 'Further changes, as `h` in `GET /apiKeys/changes`, that end it' })
  forget_on: string[];
}

/** The guard has to ask each time. */
@ApiSchema({ name: 'RefusedGrant' })
class RefusedGrantDto {
  @ApiProperty({ type: Boolean, enum: [false] })
  cacheable: false;

  @ApiProperty({ enum: NOT_GRANTED })
  because: NotGranted;
}

export type Grant = CacheableGrantDto | RefusedGrantDto;

/** Whether a guard may decide on the key itself. */
@ApiUnion('Grant', CacheableGrantDto, RefusedGrantDto)
export class GrantDto {}
