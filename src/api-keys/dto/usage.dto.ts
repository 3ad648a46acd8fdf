import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { WholeNumberInQuery } from '../../http/validation/whole-number.decorator.js';
import type { DayOfUse } from '../../usage/usage-statistics.js';

/** The query of `GET /api/apiKeys/:id/usage`. */
export class UsageQuery {
  @WholeNumberInQuery(1, 366)
  @ApiProperty({
    type: 'integer',
    minimum: 1,
    maximum: 366,
    default: 30,
    required: false,
    description: 'How many days, including today',
  })
  days = 30;
}

@ApiSchema({ name: 'DayOfUse' })
export class DayOfUseDto implements DayOfUse {
  @ApiProperty({ format: 'date', description: 'In UTC' })
  day: string;

  @ApiProperty({ type: 'integer', description: 'How often the verdict was `VALID`' })
  verified: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: "Refusals by the verdict's code",
  })
  denied: Record<string, number>;
}

@ApiSchema({ name: 'Usage' })
export class UsageDto {
  @ApiProperty({ type: [DayOfUseDto], description: 'The days on which the key was used or refused, today first' })
  days: DayOfUseDto[];
}

export const USAGE_EXAMPLE: UsageDto = { days: [{ day: '2026-11-24', verified: 1_234, denied: { RATE_LIMITED: 5 } }] };
