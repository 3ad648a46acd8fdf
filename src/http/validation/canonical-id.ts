import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsUUID } from 'class-validator';

const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

/**
 * A text in which every id is spelled as the database spells it: a UUID in lower case (RFC 9562, 4). Applied where
 * requests come in, so that whatever compares ids, or records them, meets one spelling of each.
 */
export function withCanonicalIds(text: string): string {
  return text.replace(ID, (id) => id.toLowerCase());
}

/** The same for a text in a query or a path. */
export function CanonicalIds(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? withCanonicalIds(value) : value));
}

/** The id of a key in a path or a query. */
export function KeyId({ required = true } = {}): PropertyDecorator {
  return applyDecorators(
    CanonicalIds(),
    IsUUID('all', { message: 'must be the id of a key, a UUID; not its api_key' }),
    ApiProperty({
      format: 'uuid',
      required,
      description: 'The `id` of a key',
      example: '01a20b9d-c4d9-7123-b878-6eb9911deb3f',
    }),
  );
}
