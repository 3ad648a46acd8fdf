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
    description: 'Dependencies that are degraded but not required for now',
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
    summary: 'Whether the process is alive',
    description: 'For supervisors that restart processes. Checks no dependencies, since a restart would not fix them.',
  })
  @ApiResponse({ status: 200, type: HealthDto, description: 'The process is alive.', example: HEALTHY })
  live(): HealthDto {
    return HEALTHY;
  }

  @Get('ready')
  @ApiOperation({
    operationId: 'isReady',
    summary: 'Whether the process is ready for requests',
    description:
      'Ready means: the database is available with the schema of this version; the change feed was read within ' +
      '`REVOCATION_BOUND_MS`; Redis, if configured, is available; the key set, if configured, was fetched at least once; ' +
      'and the process is not shutting down. `details` names what is missing or, with 200, what is degraded: a key set ' +
      'that cannot be fetched now.',
  })
  @ApiResponse({ status: 200, type: HealthDto, description: 'Send traffic.', example: HEALTHY })
  @ApiErrors('unavailable')
  async ready(): Promise<HealthDto> {
    const { missing, degraded } = await this.readiness.problems();
    if (missing.length === 0) return degraded.length === 0 ? HEALTHY : { status: 'ok', details: degraded };
    const named = missing.map(({ path }) => path).join(', ');
    throw new UnavailableError(`Not ready: ${named}. See details.`, { details: missing });
  }
}
