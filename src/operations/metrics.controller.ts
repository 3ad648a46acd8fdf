import { Controller, Get, Header, Req } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Public } from '../authentication/decorators/public.decorator.js';
import type { DirectRequest } from '../contract/direct.decorator.js';
import { ApiErrors } from '../openapi/answers.decorator.js';
import { ApiForServices } from '../openapi/security.js';
import { ServiceTokens } from '../verification/service-tokens.js';
import { Metrics } from './metrics.js';

/** For Prometheus, which presents the token of a service; outside the `/api` prefix. */
@Public()
@Controller('metrics')
@ApiForServices('Operations')
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    private readonly serviceTokens: ServiceTokens,
  ) {}

  @Get()
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiOperation({
    operationId: 'readMetrics',
    summary: 'What the process says of itself, for Prometheus',
    description: 'Counts, durations and sizes of this process alone: each process is to be asked by itself.',
  })
  @ApiResponse({
    status: 200,
    description: 'In the text format of Prometheus.',
    content: { 'text/plain': { schema: { type: 'string' } } },
  })
  @ApiErrors('ambiguous_credentials', 'unauthenticated', 'internal')
  read(@Req() request: FastifyRequest & Partial<Pick<DirectRequest, 'caller'>>): Promise<string> {
    request.caller = this.serviceTokens.identify(request.raw);
    return this.metrics.registry.metrics();
  }
}
