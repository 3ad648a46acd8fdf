import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { VerificationModule } from '../verification/verification.module.js';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { LimitsModule } from '../limits/limits.module.js';
import { CallLimits } from './call-limits.js';
import { AuthenticationController } from './authentication.controller.js';
import { RateLimitGuard } from './guards/rate-limit.guard.js';
import { serviceTokens } from '../principals/service-tokens.provider.js';
import { AuthenticationGuard } from './guards/authentication.guard.js';
import { ScopesGuard } from './guards/scopes.guard.js';
import { LostRotations } from './lost-rotations.js';
import { ManagementRates } from './management-rates.js';
import { HeaderCheck } from './header-check.js';
import { RotationReplay } from './rotation-replay.js';
import { ApiKeyStrategy } from './strategies/api-key.strategy.js';
import { SessionKeys } from './strategies/session-keys.js';
import { SessionStrategy } from './strategies/session.strategy.js';
import { HttpModule } from '../http/http.module.js';

/** Authenticates and authorizes callers. Its guards run before every route, in this order. */
@Module({
  imports: [HttpModule, VerificationModule, ApiKeysModule, AuditModule, IdempotencyModule, LimitsModule],
  controllers: [AuthenticationController],
  providers: [
    HeaderCheck,
    SessionKeys,
    SessionStrategy,
    ApiKeyStrategy,
    serviceTokens,
    ManagementRates,
    CallLimits,
    LostRotations,
    RotationReplay,
    { provide: APP_GUARD, useClass: AuthenticationGuard },
    { provide: APP_GUARD, useClass: ScopesGuard },
    { provide: APP_GUARD, useClass: RateLimitGuard },
  ],
  exports: [HeaderCheck, SessionKeys],
})
export class AuthenticationModule {}
