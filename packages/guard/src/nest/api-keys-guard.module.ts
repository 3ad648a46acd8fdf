import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ApiKeysGuard } from './api-keys-guard.js';
import { type ApiKeysGuardOptions, ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } from './module-definition.js';

/** Guards every route of the application; closes the guard on shutdown, when the last request is answered. */
@Module({ providers: [{ provide: APP_GUARD, useClass: ApiKeysGuard }] })
export class ApiKeysGuardModule extends ConfigurableModuleClass implements OnApplicationShutdown {
  constructor(@Inject(MODULE_OPTIONS_TOKEN) private readonly options: ApiKeysGuardOptions) {
    super();
  }

  onApplicationShutdown(): Promise<void> {
    return this.options.guard.close();
  }
}
