import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy } from 'class-validator';
import { Optional } from './optional.decorator.js';

/** A place in a list, as clients get it: they give it back as it is. */
export function toCursor(place: string | null | undefined): string | null {
  return place ? Buffer.from(place).toString('base64url') : null;
}

export function fromCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString();
}

/** A cursor in a query. @param place what it is made of */
export function Cursor(place: RegExp): PropertyDecorator {
  return applyDecorators(
    Optional(),
    IsCursorOf(place),
    ApiProperty({ type: String, required: false, description: 'The `next_cursor` of the page before' }),
  );
}

const MESSAGE = 'must be the next_cursor of the page before';

function IsCursorOf(place: RegExp): PropertyDecorator {
  return ValidateBy({
    name: 'cursor',
    validator: {
      // Decoding passes over whatever is not base64url
      validate: (cursor) =>
        typeof cursor === 'string' && place.test(fromCursor(cursor)) && toCursor(fromCursor(cursor)) === cursor,
      defaultMessage: () => MESSAGE,
    },
  });
}
