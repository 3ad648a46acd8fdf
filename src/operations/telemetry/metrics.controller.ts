import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Controller, Get, Header, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ForServices } from '../../principals/decorators/for-services.decorator.js';
import { ApiErrors } from '../../openapi/answers.decorator.js';
import type { Tag } from '../../openapi/tags.js';
import { acceptsGzip } from './accepts-gzip.js';
import { Metrics } from './metrics.js';

const zip = promisify(gzip);

/** For Prometheus, which authenticates with a service token; outside the `/api` prefix. */
@ForServices({ load: 'unlimited' })
@Controller('metrics')
@ApiTags('Operations' satisfies Tag)
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get()
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  @Header('Vary', 'Accept-Encoding')
  @ApiOperation({
    operationId: 'readMetrics',
    summary: 'Metrics of the process, for Prometheus',
    description: 'Counts, durations and sizes of this process only: scrape each process separately.',
  })
  @ApiResponse({
    status: 200,
    description: 'Metrics in the text format of Prometheus.',
    content: { 'text/plain': { schema: { type: 'string' } } },
  })
  @ApiErrors('ambiguous_credentials', 'unauthenticated', 'internal')
  async read(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | Buffer> {
    const text = await this.metrics.registry.metrics();
    if (!acceptsGzip(request.headers['accept-encoding'])) return text;
    reply.header('Content-Encoding', 'gzip');
    return zip(text);
  }
}
