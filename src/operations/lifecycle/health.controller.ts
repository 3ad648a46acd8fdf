import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiResponse, ApiSchema, ApiTags } from '@nestjs/swagger';
import { Routes } from '../../http/route-config.js';
import { Public } from '../../principals/decorators/public.decorator.js';
import { UnavailableError } from '../../http/errors/api-error.js';
import { ApiErrors } from '../../openapi/answers.decorator.js';
import { ErrorDetailDto } from '../../openapi/failure.dto.js';
import type { Tag } from '../../openapi/tags.js';
import { Readiness } from './readiness.js';

@ApiSchema({ name: 'Health' })
class HealthDto {
  @ApiProperty({ enum: ['ok'] })
  status: 'ok';

  @ApiProperty({
    type: [ErrorDetailDto],
    required: false,
    description: 'What the process makes do without for the time being',
    example: [{ path: 'key_set', message: 'cannot be fetched: the last good one is used for 58 more minutes' }],
  })
  details?: ErrorDetailDto[];
}

const HEALTHY: HealthDto = { status: 'ok' };

/** For balancers and supervisors; outside the `/api` prefix. */
@Public()
@Routes({ load: 'unlimited' })
@Controller('health')
@ApiTags('Health' satisfies Tag)
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @ApiOperation({
    operationId: 'isLive',
    summary: 'Whether the process answers at all',
    description: 'For whatever restarts processes: it asks for no dependency, since a restart brings none back.',
  })
  @ApiResponse({ status: 200, type: HealthDto, description: 'It does.', example: HEALTHY })
  live(): HealthDto {
    return HEALTHY;
  }

  @Get('ready')
  @ApiOperation({
    operationId: 'isReady',
    summary: 'Whether the process has all that it needs, and is not about to end',
    description:
      'That is: the database, with the schema of this version; the change feed, read within `REVOCATION_BOUND_MS`; ' +
      'Redis, where it is configured; the key set, where there is one and as long as it was never had. `details` names ' +
      'what is missing or, with 200, what the process makes do without: the key set that cannot be fetched now.',
  })
  @ApiResponse({ status: 200, type: HealthDto, description: 'Send traffic.', example: HEALTHY })
  @ApiErrors('unavailable')
  async ready(): Promise<HealthDto> {
    const { missing, degraded } = await this.readiness.problems();
    if (missing.length === 0) return degraded.length === 0 ? HEALTHY : { status: 'ok', details: degraded };
    const named = missing.map(({ path }) => path).join(', ');
    throw new UnavailableError(`Not ready: ${named}; see details.`, { details: missing });
  }
}
