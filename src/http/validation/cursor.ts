import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy } from 'class-validator';
import { Optional } from './optional.decorator.js';

/** Encodes a place in a list as an opaque cursor. */
export function toCursor(place: string | null | undefined): string | null {
  return place ? Buffer.from(place).toString('base64url') : null;
}

export function fromCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString();
}

/** A cursor in a query. @param place the pattern of the decoded cursor */
export function Cursor(place: RegExp): PropertyDecorator {
  return applyDecorators(
    Optional(),
    IsCursorOf(place),
    ApiProperty({ type: String, required: false, description: 'The `next_cursor` of the previous page' }),
  );
}

const MESSAGE = 'must be the next_cursor of the previous page';

function IsCursorOf(place: RegExp): PropertyDecorator {
  return ValidateBy({
    name: 'cursor',
    validator: {
      // Decoding skips characters that are not base64url
      validate: (cursor) =>
        typeof cursor === 'string' && place.test(fromCursor(cursor)) && toCursor(fromCursor(cursor)) === cursor,
      defaultMessage: () => MESSAGE,
    },
  });
}
