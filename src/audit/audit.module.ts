import { Module } from '@nestjs/common';
import { LimitsModule } from '../limits/limits.module.js';
import { AuditController } from './audit.controller.js';
import { AuditTrail } from './audit-trail.js';
import { EventFinder } from './event-finder.js';
import { RefusedCalls } from './denied-calls.js';

/** What was done to keys, by whom and from where. */
@Module({
  imports: [LimitsModule],
  controllers: [AuditController],
  providers: [AuditTrail, EventFinder, RefusedCalls],
  exports: [AuditTrail, RefusedCalls],
})
export class AuditModule {}
