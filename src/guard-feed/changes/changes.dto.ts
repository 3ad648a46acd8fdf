import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { ChangesAnswer } from './guard-changes.js';

/** A key that has changed, or a cascade that has begun. */
@ApiSchema({ name: 'Change' })
class ChangeDto {
  @ApiProperty({ description: 'base64url of the first 12 bytes of the SHA-256 of the `api_key`; or of a `forget_on`' })
  h: string;

  @ApiProperty({ type: String, nullable: true, description: 'The id of its transaction; `null` while it is unknown' })
  at: string | null;
}

/** What has changed since a position. */
@ApiSchema({ name: 'Changes' })
export class ChangesDto {
  @ApiProperty({ description: 'Positions of another epoch are not comparable: start again without `since`' })
  epoch: string;

  @ApiProperty({ description: 'All changes of transactions with lower ids are known: the next `since`' })
  position: string;

  @ApiProperty({ type: 'integer', description: 'How long ago the process read the changes up to the position' })
  age_ms: number;

  @ApiProperty({ type: 'integer', description: 'For how long the request was held' })
  held_ms: number;

  @ApiProperty({ type: 'integer', description: '`REVOCATION_BOUND_MS`' })
  bound_ms: number;

  @ApiProperty({ type: [ChangeDto] })
  changed: ChangeDto[];
}

export const CHANGES_EXAMPLE: ChangesDto = {
  epoch: 'q2vJ8x0aRk3LmNcT',
  position: '81734',
  age_ms: 12,
  held_ms: 250,
  bound_ms: 1_000,
  changed: [{ h: 'Yw0dQ8n1v3Jk5sTz', at: '81735' }],
};

/** Ages are rounded up and times held down: a guard must not take what it knows for younger than it is. */
export function toChangesDto({ position, ageMs, heldMs, boundMs, changed }: ChangesAnswer): ChangesDto {
  return {
    epoch: position.epoch,
    position: position.oldest,
    age_ms: Math.ceil(ageMs),
    held_ms: Math.floor(heldMs),
    bound_ms: boundMs,
    changed: changed.map(({ h, at }) => ({ h, at: at === null ? null : String(at) })),
  };
}
