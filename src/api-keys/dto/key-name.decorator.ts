import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { Matches } from 'class-validator';

/** Without control characters, and without lone surrogates, which PostgreSQL cannot store. */
const NAME = /^[^\p{Cc}\p{Cs}]{1,100}$/u;

/** The name of a key, trimmed. */
export function KeyName({ required = true } = {}): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value)),
    Matches(NAME, { message: 'must be a string of 1 to 100 characters, none of them a control character' }),
    ApiProperty({
      minLength: 1,
      maxLength: 100,
      description: 'A name for easy reference',
      example: 'test-api-key',
      required,
    }),
  );
}
