import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiKeysService } from './api-keys.service.js';
import { ApiKeyIdParam } from './dto/api-key-id.param.js';
import { CurrentPrincipal } from '../principals/decorators/current-principal.decorator.js';
import type { Principal } from '../principals/principal.js';
import { success } from '../http/envelope.js';
import { ApiErrors, ApiSuccess, MANAGEMENT } from '../openapi/answers.decorator.js';
import { Authenticated } from '../principals/decorators/authenticated.decorator.js';
import type { Tag } from '../openapi/tags.js';
import { OwnerReads } from '../owners/owner-reads.js';
import { USAGE_EXAMPLE, UsageDto, UsageQuery } from './dto/usage.dto.js';
import { UsageStatistics } from '../usage/usage-statistics.js';

@Controller('apiKeys/:id/usage')
@Authenticated('admin')
@ApiTags('API keys' satisfies Tag)
export class UsageController {
  constructor(
    private readonly apiKeys: ApiKeysService,
    private readonly statistics: UsageStatistics,
    private readonly reads: OwnerReads,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'getApiKeyUsage',
    summary: 'How often a key was verified and denied, by day',
    description: 'Days in UTC, latest first; days without use are omitted. The last second may be missing.',
  })
  @ApiSuccess(UsageDto, 'The days; the last second may be missing.', USAGE_EXAMPLE)
  @ApiErrors(...MANAGEMENT, 'validation_failed', 'key_not_found')
  async read(
    @CurrentPrincipal() { ownerId }: Principal,
    @Param() { id }: ApiKeyIdParam,
    @Query() { days }: UsageQuery,
  ) {
    return this.reads.run(ownerId, async () => {
      await this.apiKeys.get(ownerId, id);
      return success<UsageDto>({ days: await this.statistics.lastDays(id, days) });
    });
  }
}
