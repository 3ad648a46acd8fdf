import { type DynamicModule, Module } from '@nestjs/common';
import { ApiKeysModule } from './api-keys/api-keys.module.js';
import { AuditModule } from './audit/audit.module.js';
import { AuthenticationModule } from './authentication/authentication.module.js';
import { type Clock, SystemClock } from './clock.js';
import { EnvironmentModule } from './config/environment.module.js';
import type { Environment } from './config/environment.js';
import { DatabaseModule } from './database/database.module.js';
import type { Database } from './database/database.js';
import { GatewayModule } from './gateway/gateway.module.js';
import { GuardFeedModule } from './guard-feed/guard-feed.module.js';
import { HttpModule } from './http/http.module.js';
import { IdempotencyModule } from './idempotency/idempotency.module.js';
import { LimitsModule } from './limits/limits.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { OwnersModule } from './owners/owners.module.js';
import { UsageModule } from './usage/usage.module.js';
import { VerificationModule } from './verification/verification.module.js';

/** The whole service; `docs/architecture.md` says what each folder is about. */
@Module({
  imports: [
    HttpModule,
    LimitsModule,
    UsageModule,
    OwnersModule,
    AuditModule,
    IdempotencyModule,
    ApiKeysModule,
    VerificationModule,
    AuthenticationModule,
    GatewayModule,
    GuardFeedModule,
    OperationsModule,
  ],
})
export class AppModule {
  static forRoot(environment: Environment, database: Database, clock: Clock = new SystemClock()): DynamicModule {
    return {
      module: AppModule,
      imports: [EnvironmentModule.forRoot(environment, clock), DatabaseModule.forRoot(database)],
    };
  }
}
