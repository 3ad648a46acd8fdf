import { Module } from '@nestjs/common';
import { HealthController } from './health.controller.js';
import { LimitsModule } from '../limits/limits.module.js';
import { VerificationModule } from '../verification/verification.module.js';
import { Housekeeping } from './housekeeping.js';
import { MetricsController } from './metrics.controller.js';
import { Metrics } from './metrics.js';

/** What whoever runs the service needs of it. */
@Module({
  imports: [VerificationModule, LimitsModule],
  controllers: [HealthController, MetricsController],
  providers: [Housekeeping, Metrics],
})
export class OperationsModule {}
