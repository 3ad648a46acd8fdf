import { Inject, Injectable } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import type { ErrorDetail } from '../contract/api-error.js';
import { VERIFICATION_POOL } from '../database/database.module.js';
import { within } from '../database/within.js';
import { RateLimiter } from '../limits/rate-limiter.js';
import { RedisRateLimiter } from '../limits/redis-rate-limiter.js';
import { ChangeFeed } from '../verification/change-feed.js';

const DATABASE_WITHIN_MS = 2_000;

/** Whether the process has all that it needs, and whether it is to get requests at all. */
@Injectable()
export class Readiness {
  private checking: Promise<ErrorDetail[]> | undefined;
  private isEnding = false;
  private lastAsked = Number.NEGATIVE_INFINITY;

  constructor(
    @Inject(VERIFICATION_POOL) private readonly dataSource: DataSource,
    private readonly feed: ChangeFeed,
    private readonly rateLimiter: RateLimiter,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  /** How long ago, in milliseconds, somebody asked. */
  get askedAgo(): number {
    return performance.now() - this.lastAsked;
  }

  /** From now on the process is not ready: it is about to stop listening. */
  end(): void {
    this.isEnding = true;
  }

  /** What is missing, and why it is. However many ask, it is looked for once. */
  missing(): Promise<ErrorDetail[]> {
    this.lastAsked = performance.now();
    if (this.isEnding) return Promise.resolve([{ path: 'process', message: 'is ending' }]);
    this.checking ??= this.check().finally(() => (this.checking = undefined));
    return this.checking;
  }

  private async check(): Promise<ErrorDetail[]> {
    const offences = {
      database: await this.databaseOffence(),
      change_feed: this.feedOffence(),
      redis: this.redisOffence(),
    };
    return Object.entries(offences).flatMap(([path, message]) => (message === undefined ? [] : [{ path, message }]));
  }

  private async databaseOffence(): Promise<string | undefined> {
    const names = this.dataSource.migrations.map(({ name, constructor }) => name ?? constructor.name);
    const count = this.dataSource.query('SELECT count(*)::int AS run FROM migrations WHERE name = ANY($1)', [names]);
    try {
      const [{ run }] = (await within(DATABASE_WITHIN_MS, count)) as [{ run: number }];
      return run < names.length ? 'lacks migrations of this version' : undefined;
    } catch {
      return 'does not answer';
    }
  }

  private feedOffence(): string | undefined {
    const isWithinBound = this.feed.age <= this.environment.revocationBoundMs;
    return isWithinBound ? undefined : 'has not been read within REVOCATION_BOUND_MS, so each use reads its key anew';
  }

  private redisOffence(): string | undefined {
    const isAway = this.rateLimiter instanceof RedisRateLimiter && !this.rateLimiter.isShared;
    return isAway ? 'is away, so this process counts rates for itself' : undefined;
  }
}
