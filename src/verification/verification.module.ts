import { Module } from '@nestjs/common';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { Clock } from '../clock.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { HttpModule } from '../http/http.module.js';
import { LimitsModule } from '../limits/limits.module.js';
import { ServiceTokens } from '../principals/service-tokens.js';
import { serviceTokens } from '../principals/service-tokens.provider.js';
import { UsageModule } from '../usage/usage.module.js';
import { ActiveCascades } from './active-cascades.js';
import { KeyCache } from './cache/key-cache.js';
import { KeyLoader } from './cache/key-loader.js';
import { KeyLookup } from './cache/key-lookup.js';
import { StalePolicy } from './cache/stale-policy.js';
import { ExactUsesFeed } from './exact-uses-feed.js';
import { Grants } from './grants.js';
import { InvalidationFeed } from './invalidation-feed.js';
import { KeyResolver } from './key-resolver.js';
import { LeakReportRates } from './leaks/leak-report-rates.js';
import { LeaksController } from './leaks/leaks.controller.js';
import { PreviousSecretUses } from './previous-secret-uses.js';
import { SecretSigners } from './secret-signers.js';
import { SecretVerifier } from './secret-verifier.js';
import { VerificationController } from './verification.controller.js';
import { VerifyFastPath } from './verify.fast-path.js';
import { Verifier } from './verifier.js';

const keyCache = {
  provide: KeyCache,
  inject: [ENVIRONMENT, Clock],
  useFactory: ({ verificationCacheKeys: keys, verificationCacheBytes: bytes }: Environment, clock: Clock) =>
    new KeyCache({ keys, bytes }, clock),
};

const stalePolicy = {
  provide: StalePolicy,
  inject: [ENVIRONMENT],
  useFactory: (environment: Environment) => new StalePolicy(environment),
};

/** Decides what a presented key may do. */
@Module({
  imports: [HttpModule, ApiKeysModule, LimitsModule, UsageModule],
  controllers: [VerificationController, LeaksController],
  providers: [
    Verifier,
    Grants,
    VerifyFastPath,
    KeyResolver,
    KeyLookup,
    keyCache,
    stalePolicy,
    KeyLoader,
    SecretVerifier,
    SecretSigners,
    PreviousSecretUses,
    InvalidationFeed,
    ActiveCascades,
    ExactUsesFeed,
    LeakReportRates,
    serviceTokens,
  ],
  exports: [Verifier, Grants, KeyLookup, SecretVerifier, InvalidationFeed, PreviousSecretUses, ServiceTokens],
})
export class VerificationModule {}
