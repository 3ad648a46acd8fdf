import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { ClientAddress } from '../http/client-address.js';
import type { Guard } from '../types.js';
import type { PlatformRequest } from './guarded-request.js';

/** Options of the module. */
export interface ApiKeysGuardOptions {
  /** Closed on shutdown. */
  guard: Guard;
  /** The socket's address by default; if the platform trusts a proxy, `(request) => request.ip`. */
  clientAddress?: ClientAddress<PlatformRequest>;
}

/** The base of the module, with `forRoot()` and `forRootAsync()`. */
export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<ApiKeysGuardOptions>()
  .setClassMethodName('forRoot')
  .build();
