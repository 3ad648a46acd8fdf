import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Histogram } from 'prom-client';
import { UsageLimiter } from '../../usage/usage-limiter.js';
import { UsageStatistics } from '../../usage/usage-statistics.js';
import { Metrics } from './metrics.js';

const COMMIT_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 4];

/** Metrics of counted uses: their commits, those that wait and those that were lost. */
@Injectable()
export class UsageMetrics implements OnModuleInit {
  private readonly commits: Histogram;

  constructor(
    metrics: Metrics,
    private readonly usageLimiter: UsageLimiter,
    statistics: UsageStatistics,
  ) {
    this.commits = metrics.histogram(
      'use_commit_duration_seconds',
      'Duration of committing a batch of uses',
      COMMIT_BUCKETS,
    );
    metrics.counter('statistics_lost_total', 'Uses and verdicts that were not counted', 'kind', () => ({
      uses: usageLimiter.lost,
      verdicts: statistics.lost,
    }));
    metrics.gauge('uses_waiting', 'Uses waiting to be committed', () => usageLimiter.waitingCount);
  }

  onModuleInit(): void {
    this.usageLimiter.subscribe((seconds) => this.commits.observe(seconds));
  }
}
