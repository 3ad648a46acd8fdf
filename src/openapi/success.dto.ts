import type { Type } from '@nestjs/common';
import { ApiProperty, ApiSchema, getSchemaPath } from '@nestjs/swagger';
import type { Success } from '../http/envelope.js';

/** One for each type of data. */
const envelopes = new Map<Type, Type<Success<unknown>>>();

/**
 * Documents the envelope of a successful response: for `Usage`, a schema `SuccessUsage`. Thanks to the name, generated
 * clients have one type for it instead of one for each operation.
 */
export function successOf(data: Type): Type<Success<unknown>> {
  const known = envelopes.get(data);
  if (known) return known;

  @ApiSchema({ name: `Success${getSchemaPath(data).split('/').at(-1)}` })
  class SuccessDto implements Success<unknown> {
    @ApiProperty({ type: data })
    data: unknown;

    @ApiProperty({ type: String, enum: ['success'] })
    status: 'success';
  }
  envelopes.set(data, SuccessDto);
  return SuccessDto;
}
