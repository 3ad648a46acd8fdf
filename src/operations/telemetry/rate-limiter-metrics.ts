import { Injectable } from '@nestjs/common';
import { RateLimiter } from '../../limits/rate-limiter.js';
import { RedisRateLimiter } from '../../limits/redis-rate-limiter.js';
import { Metrics } from './metrics.js';

/** Metrics of the rate limiter and, if configured, of Redis. */
@Injectable()
export class RateLimiterMetrics {
  constructor(metrics: Metrics, rateLimiter: RateLimiter) {
    metrics.gauge('rate_limiter_bytes', 'Memory of the rate limiter', () => rateLimiter.bytes);
    if (!(rateLimiter instanceof RedisRateLimiter)) return;
    metrics.gauge('redis_up', 'Whether rate limits are shared through Redis', () => Number(rateLimiter.isShared));
    metrics.gauge('rate_limiter_processes', 'Processes that share this Redis', () => rateLimiter.processCount);
    metrics.counter('rate_limiter_fallbacks_total', 'Rate-limit decisions made without Redis', 'limiter', () => ({
      own: rateLimiter.fallbacks,
    }));
  }
}
