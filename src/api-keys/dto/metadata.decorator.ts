import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy } from 'class-validator';
import type { ErrorDetail } from '../../http/errors/api-error.js';
import { Optional } from '../../http/validation/optional.decorator.js';
import type { ProblemsWithin } from '../../http/validation/validation.pipe.js';

const MAX_BYTES = 4_096;
/** PostgreSQL accepts neither U+0000 nor lone surrogates in `jsonb`. */
const STORABLE = /^[^\0\p{Cs}]*$/u;

/** An optional flat object of strings, at most 4 KiB as JSON. */
export function KeyMetadata(): PropertyDecorator {
  return applyDecorators(
    Optional(),
    ValidateBy(
      { name: 'metadata', validator: { validate: isMetadata } },
      {
        message: 'must be a flat object of strings, at most 4 KiB as JSON, without the character U+0000',
        context: { problemsWithin: badTexts } satisfies ProblemsWithin,
      },
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

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && STORABLE.test(value);
}

function badTexts(metadata: unknown): ErrorDetail[] {
  if (!isObject(metadata)) return [];
  const bad = Object.entries(metadata).filter(([, value]) => !isText(value));
  return bad.map(([path]) => ({ path, message: 'must be a string without the character U+0000' }));
}

function isMetadata(value: unknown): boolean {
  if (!isObject(value)) return false;
  return Object.entries(value).flat().every(isText) && Buffer.byteLength(JSON.stringify(value)) <= MAX_BYTES;
}
