import { Module } from '@nestjs/common';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { LimitsModule } from '../limits/limits.module.js';
import { OverloadModule } from '../http/load/load-shedding.module.js';
import { CascadesUnderWay } from './cascades-under-way.js';
import { ChangeFeed } from './invalidation-feed.js';
import { ExactUsesFeed } from './exact-uses-feed.js';
import { KeyLookup } from './key-lookup.js';
import { UsageModule } from '../usage/usage.module.js';
import { LeakReportRates } from './leaks/leak-report-rates.js';
import { LeaksController } from './leaks/leaks.controller.js';
import { KeyReader } from './cache/key-reader.js';
import { KnownKeys } from './cache/known-keys.js';
import { SecretChecks } from './secret-verifier.js';
import { SecretSigners } from './secret-signers.js';
import { ServiceTokens } from '../principals/service-tokens.js';
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
