import { Module } from '@nestjs/common';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { LimitsModule } from '../limits/limits.module.js';
import { CascadesUnderWay } from './cascades-under-way.js';
import { InvalidationFeed } from './invalidation-feed.js';
import { ExactUsesFeed } from './exact-uses-feed.js';
import { KeyLookup } from './key-lookup.js';
import { UsageModule } from '../usage/usage.module.js';
import { LeakReportRates } from './leaks/leak-report-rates.js';
import { LeaksController } from './leaks/leaks.controller.js';
import { KeyReader } from './cache/key-reader.js';
import { KnownKeys } from './cache/known-keys.js';
import { SecretVerifier } from './secret-verifier.js';
import { PreviousSecretUses } from './previous-secret-uses.js';
import { SecretSigners } from './secret-signers.js';
import { ServiceTokens } from '../principals/service-tokens.js';
import { VerificationController } from './verification.controller.js';
import { VerifyFastPath } from './verify.fast-path.js';
import { Verifier } from './verifier.js';
import { HttpModule } from '../http/http.module.js';

/** Knows what a presented key may do. */
@Module({
  imports: [HttpModule, ApiKeysModule, LimitsModule, UsageModule],
  controllers: [VerificationController, LeaksController],
  providers: [
    Verifier,
    VerifyFastPath,
    KeyLookup,
    KnownKeys,
    KeyReader,
    SecretVerifier,
    SecretSigners,
    PreviousSecretUses,
    InvalidationFeed,
    CascadesUnderWay,
    ExactUsesFeed,
    LeakReportRates,
    ServiceTokens,
  ],
  exports: [Verifier, KnownKeys, SecretVerifier, InvalidationFeed, ServiceTokens],
})
export class VerificationModule {}
