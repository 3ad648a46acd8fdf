import { Module } from '@nestjs/common';
import { UsageLimiter } from './usage-limiter.js';
import { UsageStatistics } from './usage-statistics.js';

/** Counts how often keys are used and denied: exactly where a key has `max_uses`, else in memory, written behind. */
@Module({ providers: [UsageLimiter, UsageStatistics], exports: [UsageLimiter, UsageStatistics] })
export class UsageModule {}
