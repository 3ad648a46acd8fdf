import type { FactoryProvider } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { ServiceTokens } from './service-tokens.js';

/** The services of `SERVICE_TOKENS`. */
export const serviceTokens: FactoryProvider<ServiceTokens> = {
  provide: ServiceTokens,
  inject: [ENVIRONMENT],
  useFactory: (environment: Environment) => new ServiceTokens(environment),
};
