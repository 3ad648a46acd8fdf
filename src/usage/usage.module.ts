import { Module } from '@nestjs/common';
import { UsageMeter } from './usage-limiter.js';
import { UsageStatistics } from './usage-statistics.js';

/** Counts how often keys are used and denied: exactly where a key has `max_uses`, else in memory, written behind. */
@Module({ providers: [UsageMeter, UsageStatistics], exports: [UsageMeter, UsageStatistics] })
export class UsageModule {}
