import { Module } from '@nestjs/common';
import { HealthController } from './health.controller.js';
import { LimitsModule } from '../limits/limits.module.js';
import { VerificationModule } from '../verification/verification.module.js';
import { Housekeeping } from './housekeeping.js';
import { MetricsController } from './metrics.controller.js';
import { AnsweredRequests } from './answered-requests.js';
import { Metrics } from './metrics.js';
import { Overload } from './overload.js';
import { Readiness } from './readiness.js';
import { RequestLog } from './request-log.js';

/** What whoever runs the service needs of it. */
@Module({
  imports: [VerificationModule, LimitsModule],
  controllers: [HealthController, MetricsController],
  providers: [Housekeeping, Readiness, Overload, Metrics, RequestLog, AnsweredRequests],
})
export class OperationsModule {}
