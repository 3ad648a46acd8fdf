import { Module } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { AuditModule } from '../audit/audit.module.js';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { LimitsModule } from '../limits/limits.module.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysService } from './api-keys.service.js';
import { KeyChanges } from './key-changes.js';
import { KeySearch } from './key-search.js';
import { Revocations } from './revocations.js';
import { SecretHasher } from './secret-hasher.js';

/** The records of API keys and their life. */
@Module({
  imports: [LimitsModule, AuditModule, IdempotencyModule],
  controllers: [ApiKeysController],
  providers: [
    ApiKeysService,
    KeyChanges,
    KeySearch,
    Revocations,
    {
      provide: SecretHasher,
      inject: [ENVIRONMENT],
      useFactory: (environment: Environment) => new SecretHasher(environment.hashCost),
    },
  ],
  exports: [ApiKeysService, KeyChanges, Revocations, SecretHasher],
})
export class ApiKeysModule {}
