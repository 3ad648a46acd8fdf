import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiResponse, ApiSchema, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { within } from '../database/within.js';
import { Public } from '../authentication/decorators/public.decorator.js';
import { UnavailableError } from '../contract/api-error.js';
import { ApiErrors } from '../openapi/answers.decorator.js';

const READY_WITHIN_MS = 2_000;

@ApiSchema({ name: 'Health' })
class HealthDto {
  @ApiProperty({ enum: ['ok'] })
  status: 'ok';
}

const HEALTHY: HealthDto = { status: 'ok' };

/** For balancers and supervisors; outside the `/api` prefix. */
@Public()
@Controller('health')
@ApiTags('Health')
export class HealthController {
  private checking: Promise<void> | undefined;

  constructor(private readonly dataSource: DataSource) {}

  @Get('live')
  @ApiOperation({ operationId: 'isLive', summary: 'Whether the process answers at all' })
  @ApiResponse({ status: 200, type: HealthDto, description: 'It does.', example: HEALTHY })
  live(): HealthDto {
    return HEALTHY;
  }

  @Get('ready')
  @ApiOperation({ operationId: 'isReady', summary: 'Whether the database answers and its schema is current' })
  @ApiResponse({ status: 200, type: HealthDto, description: 'Send traffic.', example: HEALTHY })
  @ApiErrors('unavailable')
  async ready(): Promise<HealthDto> {
    // However many ask, the database is asked once
    this.checking ??= this.check().finally(() => (this.checking = undefined));
    await this.checking;
    return HEALTHY;
  }

  private async check(): Promise<void> {
    const names = this.dataSource.migrations.map(({ name, constructor }) => name ?? constructor.name);
    const count = this.dataSource.query('SELECT count(*)::int AS run FROM migrations WHERE name = ANY($1)', [names]);
    const [{ run }] = (await within(READY_WITHIN_MS, count).catch((cause: unknown) => {
      throw new UnavailableError('Not ready: the database does not answer.', { cause });
    })) as [{ run: number }];
    if (run < names.length) throw new UnavailableError('Not ready: the database lacks migrations of this version.');
  }
}
