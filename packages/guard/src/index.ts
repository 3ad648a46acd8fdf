export type { KeyPair, Refusal } from './decision/index.js';
export { createGuard } from './guard.js';
export type {
  Guard,
  GuardOptions,
  GuardState,
  GuardStats,
  GuardVerdict,
  Presented,
  RateLimitState,
  Required,
} from './types.js';
export { GuardUnavailableError } from './unavailable-error.js';
