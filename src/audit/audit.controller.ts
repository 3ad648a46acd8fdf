import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { CurrentPrincipal } from '../authentication/decorators/current-principal.decorator.js';
import { RequireScopes } from '../authentication/decorators/require-scopes.decorator.js';
import type { Principal } from '../authentication/principal.js';
import { success } from '../contract/envelope.js';
import { ApiErrors, ApiSuccess, MANAGEMENT } from '../openapi/answers.decorator.js';
import { ApiAuthenticated } from '../openapi/security.js';
import { AuditTrail } from './audit-trail.js';
import { EVENTS_EXAMPLE, EventPageDto, EventsQuery, toEventSearch } from './dto/event.dto.js';

@Controller('apiKeys/events')
@RequireScopes('admin')
@ApiAuthenticated('API keys')
export class AuditController {
  constructor(private readonly auditTrail: AuditTrail) {}

  @Get()
  @ApiOperation({ operationId: 'listEvents', summary: 'What was done to your keys, and refused; newest first' })
  @ApiSuccess(EventPageDto, 'A page of your audit trail.', EVENTS_EXAMPLE)
  @ApiErrors(...MANAGEMENT, 'validation_failed')
  async list(@CurrentPrincipal() { ownerId }: Principal, @Query() query: EventsQuery) {
    const search = toEventSearch(query);
    const events = await this.auditTrail.search(ownerId, { ...search, limit: search.limit + 1 });
    return success(EventPageDto.of(events, search.limit));
  }
}
