import { Module } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { LimitsModule } from '../limits/limits.module.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysService } from './api-keys.service.js';
import { KeyChanges } from './key-changes.js';
import { SecretHasher } from './secret-hasher.js';

/** The records of API keys and their life. */
@Module({
  imports: [LimitsModule],
  controllers: [ApiKeysController],
  providers: [
    ApiKeysService,
    KeyChanges,
    {
      provide: SecretHasher,
      inject: [ENVIRONMENT],
      useFactory: (environment: Environment) => new SecretHasher(environment.hashCost),
    },
  ],
  exports: [ApiKeysService, KeyChanges, SecretHasher],
})
export class ApiKeysModule {}
