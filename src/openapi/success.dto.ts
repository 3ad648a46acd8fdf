import type { Type } from '@nestjs/common';
import { ApiProperty, ApiSchema, getSchemaPath } from '@nestjs/swagger';
import type { Success } from '../http/envelope.js';

/** One for each type of data, whichever operations answer with it. */
const envelopes = new Map<Type, Type<Success<unknown>>>();

/**
 * Documents the envelope of an answer that succeeds: for `Usage`, a schema `SuccessUsage`. With a name of its own,
 * generated clients have one type for it, and not one for each operation that they have to find a name for.
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
