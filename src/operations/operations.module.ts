import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditModule } from '../audit/audit.module.js';
import { ENVIRONMENT } from '../config/environment.js';
import { VERIFICATION_POOL } from '../database/database.module.js';
import { AuthenticationModule } from '../authentication/authentication.module.js';
import { ExpiringKeys } from './telemetry/expiring-keys.js';
import { HealthController } from './lifecycle/health.controller.js';
import { ClientAddress } from '../http/client-address.js';
import { LimitsModule } from '../limits/limits.module.js';
import { UsageModule } from '../usage/usage.module.js';
import { ServiceTokens } from '../principals/service-tokens.js';
import { VerificationModule } from '../verification/verification.module.js';
import { Housekeeping } from './lifecycle/housekeeping.js';
import { MetricsController } from './telemetry/metrics.controller.js';
import { RequestObserver } from './telemetry/request-observer.js';
import { DatabaseMetrics } from './telemetry/database-metrics.js';
import { LoadMetrics } from './telemetry/load-metrics.js';
import { Metrics } from './telemetry/metrics.js';
import { RateLimiterMetrics } from './telemetry/rate-limiter-metrics.js';
import { UsageMetrics } from './telemetry/usage-metrics.js';
import { VerificationMetrics } from './telemetry/verification-metrics.js';
import { SignedSecretsGauge } from './telemetry/signed-secrets-gauge.js';
import { UnknownSigners } from './lifecycle/unknown-signers.js';
import { RootController } from './lifecycle/root.controller.js';
import { Readiness } from './lifecycle/readiness.js';
import { RequestLog } from './telemetry/request-log.js';
import { createTracing, Tracing } from './telemetry/tracing.js';
import { UnwrittenCounts } from './lifecycle/unwritten-counts.js';
import { UpkeepMetrics } from './telemetry/upkeep-metrics.js';
import { GuardFeedModule } from '../guard-feed/guard-feed.module.js';
import { GuardMetrics } from './telemetry/guard-metrics.js';
import { HttpModule } from '../http/http.module.js';

/** What operators need: health, metrics, logs, traces, housekeeping and shutdown. */
@Module({
  imports: [
    HttpModule,
    ApiKeysModule,
    AuditModule,
    AuthenticationModule,
    VerificationModule,
    GuardFeedModule,
    LimitsModule,
    UsageModule,
  ],
  controllers: [RootController, HealthController, MetricsController],
  providers: [
    ExpiringKeys,
    Housekeeping,
    Readiness,
    Metrics,
    VerificationMetrics,
    GuardMetrics,
    UsageMetrics,
    RateLimiterMetrics,
    LoadMetrics,
    DatabaseMetrics,
    UpkeepMetrics,
    SignedSecretsGauge,
    UnknownSigners,
    RequestLog,
    {
      provide: Tracing,
      inject: [ENVIRONMENT, ClientAddress, ServiceTokens, DataSource, VERIFICATION_POOL],
      useFactory: createTracing,
    },
    RequestObserver,
    UnwrittenCounts,
  ],
})
export class OperationsModule {}
