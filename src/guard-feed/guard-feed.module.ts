import { Module } from '@nestjs/common';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { HttpModule } from '../http/http.module.js';
import { UsageModule } from '../usage/usage.module.js';
import { VerificationModule } from '../verification/verification.module.js';
import { ChangesController } from './changes/changes.controller.js';
import { ChangesFastPath } from './changes/changes.fast-path.js';
import { GuardChanges } from './changes/guard-changes.js';
import { OlderChanges } from './changes/older-changes.js';
import { GuardSightings } from './guard-sightings.js';
import { GuardReports } from './reports/guard-reports.js';
import { ReportedKeys } from './reports/reported-keys.js';
import { ReportsController } from './reports/reports.controller.js';

/** Tells guards, which decide on keys inside other services, what has changed, and takes their reports. */
@Module({
  imports: [HttpModule, ApiKeysModule, UsageModule, VerificationModule],
  controllers: [ChangesController, ReportsController],
  providers: [GuardChanges, ChangesFastPath, OlderChanges, GuardSightings, GuardReports, ReportedKeys],
  exports: [GuardChanges, GuardSightings, GuardReports],
})
export class GuardFeedModule {}
