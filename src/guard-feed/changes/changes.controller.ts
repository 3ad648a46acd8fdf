import { Controller, Get, Req } from '@nestjs/common';
import { ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { success } from '../../http/envelope.js';
import { Route } from '../../http/route-config.js';
import { ApiErrors, ApiSuccess } from '../../openapi/answers.decorator.js';
import type { Tag } from '../../openapi/tags.js';
import { ForServices } from '../../principals/decorators/for-services.decorator.js';
import { ServiceTokens } from '../../principals/service-tokens.js';
import { GuardSightings } from '../guard-sightings.js';
import { CHANGES_EXAMPLE, ChangesDto, toChangesDto } from './changes.dto.js';
import { readChangesQuery } from './changes-query.js';
import { GuardChanges } from './guard-changes.js';

const CHANGES_NOTE =
  'For guards, which decide on keys inside other services (`packages/guard`; docs/guard.md says what they do with it). ' +
  'Answers at the first change, or after `wait_ms`.';

@ForServices()
@Controller('apiKeys/changes')
@ApiTags('Verification' satisfies Tag)
export class ChangesController {
  constructor(
    private readonly changes: GuardChanges,
    private readonly sightings: GuardSightings,
    private readonly serviceTokens: ServiceTokens,
  ) {}

  @Get()
  @Route({ readsQuery: true })
  @ApiOperation({ operationId: 'listKeyChanges', summary: 'Wait for changes of keys', description: CHANGES_NOTE })
  @ApiQuery({
    name: 'since',
    required: false,
    type: String,
    description: 'The `position` of the last answer',
    example: '81734',
  })
  @ApiQuery({ name: 'epoch', required: false, type: String, description: 'The `epoch` of the last answer' })
  @ApiQuery({
    name: 'wait_ms',
    description: 'For how many milliseconds the answer may wait for a change',
    required: false,
    schema: { type: 'integer', minimum: 0, maximum: 1_000, default: 0 },
  })
  @ApiSuccess(ChangesDto, 'What has changed since the position.', CHANGES_EXAMPLE)
  @ApiErrors(
    'validation_failed',
    'ambiguous_credentials',
    'unauthenticated',
    'position_expired',
    'internal',
    'unavailable',
  )
  async list(@Req() { raw }: FastifyRequest) {
    const guard = this.sightings.note(this.serviceTokens.identify(raw), raw);
    return success(toChangesDto(await this.changes.ask(readChangesQuery(raw.url), guard)));
  }
}
