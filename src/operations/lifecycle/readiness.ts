import { Inject, Injectable } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { SessionKeys } from '../../authentication/strategies/session-keys.js';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import type { ErrorDetail } from '../../http/errors/api-error.js';
import { VERIFICATION_POOL } from '../../database/database.module.js';
import { MISSING_RIGHTS_QUERY, RIGHTS_PARAMETERS } from '../../database/rights.js';
import { StandbyError } from '../../database/server-parameters.js';
import { withTimeout } from '../../database/with-timeout.js';
import { RateLimiter } from '../../limits/rate-limiter.js';
import { RedisRateLimiter } from '../../limits/redis-rate-limiter.js';
import { InvalidationFeed } from '../../verification/invalidation-feed.js';

const DATABASE_TIMEOUT_MS = 2_000;

interface Rights {
  isReadOnly: boolean;
  missing: string[];
}

/** Problems that make the process not ready, and problems that only degrade it. */
interface Problems {
  missing: ErrorDetail[];
  degraded: ErrorDetail[];
}

/** Checks the dependencies of the process, and whether it is shutting down. */
@Injectable()
export class Readiness {
  private checking: Promise<Problems> | undefined;
  private isDraining = false;
  private lastProbe = Number.NEGATIVE_INFINITY;

  constructor(
    @Inject(VERIFICATION_POOL) private readonly dataSource: DataSource,
    private readonly feed: InvalidationFeed,
    private readonly rateLimiter: RateLimiter,
    private readonly sessionKeys: SessionKeys,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  /** Milliseconds since readiness was last requested. */
  get millisecondsSinceProbe(): number {
    return performance.now() - this.lastProbe;
  }

  /** Makes the process not ready, before it stops listening. */
  beginDraining(): void {
    this.isDraining = true;
  }

  /** What is missing or degraded, and why. Concurrent callers share one check. */
  problems(): Promise<Problems> {
    this.lastProbe = performance.now();
    if (this.isDraining)
      return Promise.resolve({ missing: [{ path: 'process', message: 'is shutting down' }], degraded: [] });
    this.checking ??= this.check().finally(() => (this.checking = undefined));
    return this.checking;
  }

  private async check(): Promise<Problems> {
    const [database, keySet] = await Promise.all([this.databaseProblem(), this.sessionKeys.problem()]);
    const isWithoutKeys = keySet?.isMissing === true;
    return {
      missing: toDetails({
        database,
        change_feed: this.feedProblem(),
        redis: this.redisProblem(),
        key_set: isWithoutKeys ? keySet.message : undefined,
      }),
      // Key pairs, which are most verifications, do not need the key set
      degraded: toDetails({ key_set: isWithoutKeys ? undefined : keySet?.message }),
    };
  }

  private async databaseProblem(): Promise<string | undefined> {
    const names = this.dataSource.migrations.map(({ name, constructor }) => name ?? constructor.name);
    const check = async () => {
      const [{ isReadOnly, missing }] = await this.dataSource.query<[Rights]>(MISSING_RIGHTS_QUERY, [
        ...RIGHTS_PARAMETERS,
      ]);
      if (missing.length > 0) return `its user lacks rights: ${missing.join(', ')}`;
      const count = 'SELECT count(*)::int AS run FROM migrations WHERE name = ANY($1)';
      const [{ run }] = await this.dataSource.query<[{ run: number }]>(count, [names]);
      if (run < names.length) return 'lacks migrations of this version';
      return isReadOnly ? 'rejects writes: it is read-only' : undefined;
    };
    try {
      return await withTimeout(DATABASE_TIMEOUT_MS, check());
    } catch (error) {
      return error instanceof StandbyError ? 'rejects writes: it is a standby' : 'does not answer';
    }
  }

  private feedProblem(): string | undefined {
    const isWithinBound = this.feed.age <= this.environment.revocationBoundMs;
    return isWithinBound
      ? undefined
      : 'was not read within REVOCATION_BOUND_MS; each verification reads its key from the database';
  }

  private redisProblem(): string | undefined {
    const isUnavailable = this.rateLimiter instanceof RedisRateLimiter && !this.rateLimiter.isShared;
    return isUnavailable ? 'is unavailable; rate limits are per process until it returns' : undefined;
  }
}

function toDetails(problems: Record<string, string | undefined>): ErrorDetail[] {
  return Object.entries(problems).flatMap(([path, message]) => (message === undefined ? [] : [{ path, message }]));
}
