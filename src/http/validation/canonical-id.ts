import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsUUID } from 'class-validator';

const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

/**
 * Puts every UUID in a text into lower case, as the database does (RFC 9562, 4). Applied to incoming requests, so that all
 * code that compares or records ids sees the same spelling.
 */
export function withCanonicalIds(text: string): string {
  return text.replace(ID, (id) => id.toLowerCase());
}

/** Applies `withCanonicalIds()` to a parameter of a query or a path. */
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
