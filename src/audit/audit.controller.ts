import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal } from '../principals/decorators/current-principal.decorator.js';
import type { Principal } from '../principals/principal.js';
import { success } from '../http/envelope.js';
import { ApiErrors, ApiSuccess, MANAGEMENT } from '../openapi/answers.decorator.js';
import { Authenticated } from '../principals/decorators/authenticated.decorator.js';
import type { Tag } from '../openapi/tags.js';
import { EVENTS_EXAMPLE, EventPageDto, EventsQuery, toEventSearch } from './dto/event.dto.js';
import { EventFinder } from './event-finder.js';

@Controller('apiKeys/events')
@Authenticated('admin')
@ApiTags('API keys' satisfies Tag)
export class AuditController {
  constructor(private readonly events: EventFinder) {}

  @Get()
  @ApiOperation({
    operationId: 'listEvents',
    summary: 'List changes of your keys and refused calls, newest first',
    description:
      'Filters are combined. For the next page, send the `next_cursor` of this one as `cursor`, until it is `null`. ' +
      'Repeated refusals are one event with their number.',
  })
  @ApiSuccess(EventPageDto, 'A page of your audit trail.', EVENTS_EXAMPLE)
  @ApiErrors(...MANAGEMENT, 'validation_failed')
  async list(@CurrentPrincipal() { ownerId }: Principal, @Query() query: EventsQuery) {
    return success(EventPageDto.of(await this.events.find(ownerId, toEventSearch(query))));
  }
}
