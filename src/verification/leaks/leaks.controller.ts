import { Routes } from '../../http/route-config.js';
import { Body, Controller, HttpCode, Post, Req, UseGuards } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Revocations } from '../../api-keys/revocation/revocations.js';
import type { AuditSource } from '../../principals/audit-source.js';
import { CurrentSource } from '../../principals/decorators/current-principal.decorator.js';
import { PublicWithBody } from '../../principals/decorators/public.decorator.js';
import { ApiErrors, WITH_BODY } from '../../openapi/answers.decorator.js';
import type { Tag } from '../../openapi/tags.js';
import { LoadShedding } from '../../http/load/load-shedding.js';
import { LEAK_REPORT_EXAMPLES, LEAK_REPORTED, LeakReportDto, LeakReportedDto } from './leak.dto.js';
import { KeyResolver } from '../key-resolver.js';
import { LeakReportRates } from './leak-report-rates.js';
import { LeakReportsGuard } from './leak-reports.guard.js';

/** Revokes leaked keys. Public: anyone may find a key pair where it should not be. */
@Routes({ load: 'management' })
@UseGuards(LeakReportsGuard)
@Controller('apiKeys/report-leak')
@ApiTags('API keys' satisfies Tag)
export class LeaksController {
  constructor(
    private readonly keys: KeyResolver,
    private readonly revocations: Revocations,
    private readonly loadShedding: LoadShedding,
    private readonly rates: LeakReportRates,
  ) {}

  @Post()
  @PublicWithBody()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'reportLeak',
    summary: 'Report a leaked key pair, which revokes its key',
    description:
      'Anyone who finds a pair may report it: the pair is the proof. The answer is the same whether it was valid or not.',
  })
  @ApiBody({ type: LeakReportDto, examples: LEAK_REPORT_EXAMPLES })
  @ApiResponse({ status: 200, description: 'The same for every pair.', type: LeakReportedDto, example: LEAK_REPORTED })
  @ApiErrors(...WITH_BODY, 'rate_limited', 'internal', 'unavailable')
  async report(
    @Body() body: LeakReportDto,
    @CurrentSource() origin: AuditSource,
    @Req() request: FastifyRequest,
  ): Promise<LeakReportedDto> {
    const pair = { apiKey: body.api_key, secretKey: body.secret_key };
    await this.rates.chargePair(pair, request.raw);
    const key = await this.keys.resolve(pair);
    // A revoked key needs no transaction
    if (!key || key.isRevoked) return LEAK_REPORTED;
    await this.loadShedding.admit(request, key.ownerId);
    await this.revocations.revokeByIdentifier(key.identifier, 'leaked', origin);
    return LEAK_REPORTED;
  }
}
