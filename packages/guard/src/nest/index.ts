export { ApiKeysGuard } from './api-keys-guard.js';
export { ApiKeysGuardModule } from './api-keys-guard.module.js';
export type { ApiKeysGuardOptions } from './module-definition.js';
export { CurrentKey, Public, RequireScopes } from './decorators.js';
export type { PlatformRequest } from './guarded-request.js';
