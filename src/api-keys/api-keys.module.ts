import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { HttpModule } from '../http/http.module.js';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { LimitsModule } from '../limits/limits.module.js';
import { OwnersModule } from '../owners/owners.module.js';
import { UsageModule } from '../usage/usage.module.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysService } from './api-keys.service.js';
import { Cascades } from './cascades/cascades.js';
import { CredentialKeyring } from './credentials/credential-keyring.js';
import { SecretHasher } from './credentials/secret-hasher.js';
import { SecretMint } from './credentials/secret-mint.js';
import { ExactUses } from './exact-uses.js';
import { KeyInvalidations } from './invalidation/key-invalidations.js';
import { KeyTransactions } from './invalidation/key-transactions.js';
import { IdempotentIssuance } from './issuing/idempotent-issuance.js';
import { KeyIssuer } from './issuing/key-issuer.js';
import { KeyWriter } from './issuing/key-writer.js';
import { KeyLocks } from './key-locks.js';
import { KeyMutations } from './key-mutations.js';
import { RevocationWriter } from './revocation/revocation-writer.js';
import { Revocations } from './revocation/revocations.js';
import { KeySearch } from './search/key-search.js';
import { UsageController } from './usage.controller.js';

/** API keys and their life cycle. */
@Module({
  imports: [UsageModule, OwnersModule, HttpModule, LimitsModule, AuditModule, IdempotencyModule],
  controllers: [ApiKeysController, UsageController],
  providers: [
    ApiKeysService,
    Cascades,
    CredentialKeyring,
    ExactUses,
    IdempotentIssuance,
    KeyInvalidations,
    KeyIssuer,
    KeyLocks,
    KeyMutations,
    KeySearch,
    KeyTransactions,
    KeyWriter,
    RevocationWriter,
    Revocations,
    SecretMint,
    {
      provide: SecretHasher,
      inject: [ENVIRONMENT],
      useFactory: (environment: Environment) => new SecretHasher(environment.hashCost),
    },
  ],
  exports: [
    CredentialKeyring,
    ApiKeysService,
    Cascades,
    ExactUses,
    KeyTransactions,
    KeyInvalidations,
    KeyIssuer,
    Revocations,
    SecretHasher,
  ],
})
export class ApiKeysModule {}
