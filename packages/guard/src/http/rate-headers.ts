import type { GuardVerdict } from '../types.js';
import { rateLimitHeaders } from './rate-limit-headers.js';

/** The headers that report the rate limit of a key, if it has one. */
export function rateHeaders({ code, rateLimit }: GuardVerdict): Record<string, string> {
  if (!rateLimit) return {};
  // A refusal does not say when enough is available again, only when everything is
  const retryAfterSeconds = code === 'RATE_LIMITED' ? Math.max(1, rateLimit.resetSeconds) : 0;
  return rateLimitHeaders([{ name: 'key', ...rateLimit, retryAfterSeconds }]);
}
