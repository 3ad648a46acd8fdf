import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../clock.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { InProcessRateLimiter } from './in-process-rate-limiter.js';
import { Quota } from './quota.js';
import { RateLimiter } from './rate-limiter.js';
import { RedisRateLimiter } from './redis-rate-limiter.js';
import { UsageModule } from '../usage/usage.module.js';

/** Rate limits and quotas of keys, exact over any number of processes. */
@Module({
  imports: [UsageModule],
  providers: [{ provide: RateLimiter, inject: [ENVIRONMENT, Clock], useFactory: createRateLimiter }, Quota],
  exports: [RateLimiter, Quota],
})
export class LimitsModule implements OnApplicationShutdown {
  constructor(private readonly rateLimiter: RateLimiter) {}

  async onApplicationShutdown(): Promise<void> {
    if (this.rateLimiter instanceof RedisRateLimiter) await this.rateLimiter.close();
  }
}

/** Counts in Redis if it is configured. While Redis is unavailable, each process grants its share of each limit. */
async function createRateLimiter({ redisUrl: url }: Environment, clock: Clock): Promise<RateLimiter> {
  const local = new InProcessRateLimiter(clock);
  if (!url) return local;
  const shared = new RedisRateLimiter({ url }, local, clock);
  await shared.open();
  return shared;
}
