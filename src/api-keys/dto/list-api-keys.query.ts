import { ApiProperty } from '@nestjs/swagger';
import { Matches, ValidateBy, type ValidationArguments } from 'class-validator';
import { Cursor, fromCursor } from '../../http/validation/cursor.js';
import { Optional } from '../../http/validation/optional.decorator.js';
import { OneOf } from '../../http/validation/one-of.decorator.js';
import { WholeNumberInQuery } from '../../http/validation/whole-number.decorator.js';
import { KEY_STATUSES, type KeyStatus } from '../key-status.js';
import type { KeyQuery } from '../search/key-search.js';
import { type Scope, SCOPES } from '../../principals/scopes.js';

/** The database reads all keys before the page: beyond this, use the cursor. */
const MAX_OFFSET = 10_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The query of `GET /api/apiKeys/list`. */
export class ListApiKeysQuery {
  @WholeNumberInQuery(1, 100)
  @ApiProperty({ type: 'integer', minimum: 1, maximum: 100, default: 10, required: false, description: 'Keys a page' })
  limit = 10;

  @NotWithCursor()
  @WholeNumberInQuery(0, MAX_OFFSET)
  @ApiProperty({
    type: 'integer',
    minimum: 0,
    maximum: MAX_OFFSET,
    default: 0,
    required: false,
    description: 'How many keys to skip; use `cursor` to go further',
  })
  offset = 0;

  @Cursor(UUID)
  cursor?: string;

  @Optional()
  @OneOf(KEY_STATUSES)
  @ApiProperty({
    enum: KEY_STATUSES,
    enumName: 'KeyStatus',
    required: false,
    description: 'Without it: all that are not revoked',
  })
  status?: KeyStatus;

  @Optional()
  @Matches(/^[^\p{Cc}\p{Cs}]{1,100}$/u, { message: 'must be a string of 1 to 100 characters' })
  @ApiProperty({ required: false, minLength: 1, maxLength: 100, description: 'Part of the name, case-insensitive' })
  name?: string;

  @Optional()
  @OneOf(SCOPES)
  @ApiProperty({
    enum: [...SCOPES],
    enumName: 'Scope',
    required: false,
    description: 'A scope that the key effectively has',
  })
  scope?: Scope;
}

export function toKeyQuery({ cursor, ...query }: ListApiKeysQuery): KeyQuery {
  return { ...query, before: cursor && fromCursor(cursor) };
}

/** A page starts at an offset, or after the cursor's key. */
function NotWithCursor(): PropertyDecorator {
  const isAlone = (offset: unknown, args?: ValidationArguments) =>
    offset === 0 || (args?.object as ListApiKeysQuery | undefined)?.cursor === undefined;
  return ValidateBy(
    { name: 'notWithCursor', validator: { validate: isAlone } },
    { message: 'cannot be combined with cursor' },
  );
}
