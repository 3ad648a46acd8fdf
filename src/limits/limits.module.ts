import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../clock.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { InProcessRateLimiter } from './in-process-rate-limiter.js';
import { Quota } from './quota.js';
import { RateLimiter } from './rate-limiter.js';
import { RedisRateLimiter } from './redis-rate-limiter.js';
import { UsageModule } from '../usage/usage.module.js';

/** How often, how much, until when and from where: exact, over any number of processes. */
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

/** Over Redis where there is one; while that is unavailable, each process counts its share of each limit itself. */
async function createRateLimiter({ redisUrl: url }: Environment, clock: Clock): Promise<RateLimiter> {
  const own = new InProcessRateLimiter(clock);
  if (!url) return own;
  const shared = new RedisRateLimiter({ url }, own, clock);
  await shared.open();
  return shared;
}
