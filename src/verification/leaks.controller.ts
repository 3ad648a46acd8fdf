import { Body, Controller, HttpCode, Post, Req, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Revocations } from '../api-keys/revocations.js';
import type { Origin } from '../audit/origin.js';
import { CallOrigin } from '../authentication/decorators/current-principal.decorator.js';
import { Public } from '../authentication/decorators/public.decorator.js';
import { ApiErrors, WITH_BODY } from '../openapi/answers.decorator.js';
import { Overload } from '../operations/overload.js';
import { LEAK_REPORTED, LeakReportDto, LeakReportedDto } from './dto/leak.dto.js';
import { KnownKeys } from './known-keys.js';
import { LeakReportsGuard } from './leak-reports.guard.js';

/** For whoever finds a key pair where it should not be. */
@Public()
@UseGuards(LeakReportsGuard)
@Controller('apiKeys/report-leak')
@ApiTags('API keys')
export class LeaksController {
  constructor(
    private readonly knownKeys: KnownKeys,
    private readonly revocations: Revocations,
    private readonly overload: Overload,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({ operationId: 'reportLeak', summary: 'End a key pair that has got into the wrong hands' })
  @ApiResponse({ status: 200, description: 'The same for every pair.', type: LeakReportedDto, example: LEAK_REPORTED })
  @ApiErrors(...WITH_BODY, 'rate_limited', 'internal', 'unavailable')
  async report(
    @Body() body: LeakReportDto,
    @CallOrigin() origin: Origin,
    @Req() request: FastifyRequest,
  ): Promise<LeakReportedDto> {
    const known = await this.knownKeys.find({ apiKey: body.api_key, secretKey: body.secret_key });
    // One that is revoked stays so: nothing is opened where nothing changes
    if (!known || known.apiKey.revokedAt) return LEAK_REPORTED;
    const { apiKey, ownerId } = known.apiKey;
    await this.overload.admit(request, ownerId);
    await this.revocations.revokeByApiKey(apiKey, 'leaked', origin);
    return LEAK_REPORTED;
  }
}
