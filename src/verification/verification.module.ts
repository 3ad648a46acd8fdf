import { Module } from '@nestjs/common';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { LimitsModule } from '../limits/limits.module.js';
import { OverloadModule } from '../operations/overload.module.js';
import { CascadesUnderWay } from './cascades-under-way.js';
import { ChangeFeed } from './change-feed.js';
import { ExactUsesFeed } from './exact-uses-feed.js';
import { KeyLookup } from './key-lookup.js';
import { UsageModule } from '../usage/usage.module.js';
import { LeakReportRates } from './leak-report-rates.js';
import { LeaksController } from './leaks.controller.js';
import { KeyReader } from './key-reader.js';
import { KnownKeys } from './known-keys.js';
import { SecretChecks } from './secret-checks.js';
import { SecretSigners } from './secret-signers.js';
import { ServiceTokens } from './service-tokens.js';
import { VerificationController } from './verification.controller.js';
import { Verifier } from './verifier.js';

/** Knows what a presented key may do. */
@Module({
  imports: [ApiKeysModule, LimitsModule, OverloadModule, UsageModule],
  controllers: [VerificationController, LeaksController],
  providers: [
    Verifier,
    KeyLookup,
    KnownKeys,
    KeyReader,
    SecretChecks,
    SecretSigners,
    ChangeFeed,
    CascadesUnderWay,
    ExactUsesFeed,
    LeakReportRates,
    ServiceTokens,
  ],
  exports: [Verifier, KnownKeys, SecretChecks, ChangeFeed, ServiceTokens],
})
export class VerificationModule {}
