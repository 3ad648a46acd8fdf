import { Module } from '@nestjs/common';
import { UsageModule } from '../usage/usage.module.js';
import { VerificationModule } from '../verification/verification.module.js';
import { GuardReports } from './reports/guard-reports.js';
import { ReportedKeys } from './reports/reported-keys.js';
import { ReportsController } from './reports/reports.controller.js';

/** What guards, which decide in the processes of other services, need of this one. */
@Module({
  imports: [UsageModule, VerificationModule],
  controllers: [ReportsController],
  providers: [GuardReports, ReportedKeys],
  exports: [GuardReports],
})
export class GuardFeedModule {}
