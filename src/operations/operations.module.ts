import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditModule } from '../audit/audit.module.js';
import { ENVIRONMENT } from '../config/environment.js';
import { VERIFICATION_POOL } from '../database/database.module.js';
import { AuthenticationModule } from '../authentication/authentication.module.js';
import { ContractModule } from '../contract/contract.module.js';
import { ExpiringKeys } from './expiring-keys.js';
import { HealthController } from './health.controller.js';
import { ClientAddress } from '../limits/client-address.js';
import { LimitsModule } from '../limits/limits.module.js';
import { UsageModule } from '../usage/usage.module.js';
import { ServiceTokens } from '../verification/service-tokens.js';
import { VerificationModule } from '../verification/verification.module.js';
import { Housekeeping } from './housekeeping.js';
import { MetricsController } from './metrics.controller.js';
import { AnsweredRequests } from './answered-requests.js';
import { Metrics } from './metrics.js';
import { SignedSecretsGauge } from './signed-secrets-gauge.js';
import { UnknownSigners } from './unknown-signers.js';
import { OverloadModule } from './overload.module.js';
import { RootController } from './root.controller.js';
import { Readiness } from './readiness.js';
import { RequestLog } from './request-log.js';
import { createTracing, Tracing } from './tracing.js';
import { Unwritten } from './unwritten.js';
import { UpkeepMetrics } from './upkeep-metrics.js';

/** What whoever runs the service needs of it. */
@Module({
  imports: [
    AuditModule,
    AuthenticationModule,
    ContractModule,
    VerificationModule,
    LimitsModule,
    UsageModule,
    OverloadModule,
  ],
  controllers: [RootController, HealthController, MetricsController],
  providers: [
    ExpiringKeys,
    Housekeeping,
    Readiness,
    Metrics,
    UpkeepMetrics,
    SignedSecretsGauge,
    UnknownSigners,
    RequestLog,
    {
      provide: Tracing,
      inject: [ENVIRONMENT, ClientAddress, ServiceTokens, DataSource, VERIFICATION_POOL],
      useFactory: createTracing,
    },
    AnsweredRequests,
    Unwritten,
  ],
})
export class OperationsModule {}
