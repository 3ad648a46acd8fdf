import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';

const LARGEST_OFFSET = 1_000_000_000;

/** The query of `GET /api/apiKeys/list`. */
export class ListApiKeysQuery {
  @WholeNumber(1, 100)
  @ApiProperty({ type: 'integer', minimum: 1, maximum: 100, default: 10, required: false })
  limit = 10;

  @WholeNumber(0, LARGEST_OFFSET)
  @ApiProperty({ type: 'integer', minimum: 0, maximum: LARGEST_OFFSET, default: 0, required: false })
  offset = 0;
}

/** Digits alone: `Number()` would take "", "0x10" and "1e1" too. */
function WholeNumber(least: number, most: number): PropertyDecorator {
  const message = `must be a whole number from ${least} to ${most}`;
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
    ),
    IsInt({ message }),
    Min(least, { message }),
    Max(most, { message }),
  );
}
