import { Module } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { AuditModule } from '../audit/audit.module.js';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { LimitsModule } from '../limits/limits.module.js';
import { ApiKeysController } from './api-keys.controller.js';
import { UsageController } from './usage.controller.js';
import { ApiKeysService } from './api-keys.service.js';
import { Cascades } from './cascades/cascades.js';
import { CredentialKeyring } from './credentials/credential-keyring.js';
import { ExactUses } from './exact-uses.js';
import { IssuedAnswers } from './issued-answers.js';
import { KeyChanges } from './invalidation/key-invalidations.js';
import { KeyIssuing } from './key-issuing.js';
import { KeyLocks } from './key-locks.js';
import { KeyMutations } from './key-mutations.js';
import { KeySearch } from './key-search.js';
import { RevocationWriter } from './revocation-writer.js';
import { Revocations } from './revocations.js';
import { SecretHasher } from './credentials/secret-hasher.js';
import { SecretMint } from './credentials/secret-mint.js';
import { HttpModule } from '../http/http.module.js';
import { OwnersModule } from '../owners/owners.module.js';
import { UsageModule } from '../usage/usage.module.js';

/** The records of API keys and their life. */
@Module({
  imports: [UsageModule, OwnersModule, HttpModule, LimitsModule, AuditModule, IdempotencyModule],
  controllers: [ApiKeysController, UsageController],
  providers: [
    ApiKeysService,
    Cascades,
    CredentialKeyring,
    ExactUses,
    IssuedAnswers,
    KeyChanges,
    KeyIssuing,
    KeyLocks,
    KeyMutations,
    KeySearch,
    RevocationWriter,
    Revocations,
    SecretMint,
    {
      provide: SecretHasher,
      inject: [ENVIRONMENT],
      useFactory: (environment: Environment) => new SecretHasher(environment.hashCost),
    },
  ],
  exports: [CredentialKeyring, ApiKeysService, Cascades, KeyChanges, Revocations, SecretHasher],
})
export class ApiKeysModule {}
