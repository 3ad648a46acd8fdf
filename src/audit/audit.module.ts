import { Module } from '@nestjs/common';
import { AuditController } from './audit.controller.js';
import { AuditTrail } from './audit-trail.js';
import { EventFinder } from './event-finder.js';
import { DeniedCallAudit } from './denied-call-audit.js';
import { HttpModule } from '../http/http.module.js';
import { OwnersModule } from '../owners/owners.module.js';

/** Changes of keys and refused calls: what, by whom and from where. */
@Module({
  imports: [OwnersModule, HttpModule],
  controllers: [AuditController],
  providers: [AuditTrail, EventFinder, DeniedCallAudit],
  exports: [AuditTrail, DeniedCallAudit],
})
export class AuditModule {}
