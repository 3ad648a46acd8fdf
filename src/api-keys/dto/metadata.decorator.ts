import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy } from 'class-validator';
import { IfGiven } from '../../contract/if-given.decorator.js';

const MOST_BYTES = 4_096;
/** PostgreSQL takes neither U+0000 nor lone surrogates in `jsonb`. */
const STORABLE = /^[^\0\p{Cs}]*$/u;

/** A flat object of strings, at most 4 KiB as JSON; it may be left out. */
export function KeyMetadata(): PropertyDecorator {
  return applyDecorators(
    IfGiven(),
    ValidateBy(
      { name: 'metadata', validator: { validate: isMetadata } },
      { message: 'must be a flat object of strings, at most 4 KiB as JSON, without the character U+0000' },
    ),
    ApiProperty({
      type: 'object',
      additionalProperties: { type: 'string' },
      selfRequired: false,
      description: 'Your own notes on the key: a flat object of strings, at most 4 KiB as JSON',
      example: { team: 'gallery' },
    }),
  );
}

function isMetadata(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const isText = (text: unknown) => typeof text === 'string' && STORABLE.test(text);
  return Object.entries(value).flat().every(isText) && Buffer.byteLength(JSON.stringify(value)) <= MOST_BYTES;
}
