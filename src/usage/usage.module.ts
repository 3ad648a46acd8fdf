import { Module } from '@nestjs/common';
import { UsageLimiter } from './usage-limiter.js';
import { UsageStatistics } from './usage-statistics.js';

/** Counts uses and denials of keys: exactly for keys with `max_uses`, otherwise in memory with write-behind. */
@Module({ providers: [UsageLimiter, UsageStatistics], exports: [UsageLimiter, UsageStatistics] })
export class UsageModule {}
