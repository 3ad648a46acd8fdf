import { Logger } from '@nestjs/common';
import { summarizeError } from './describe-error.js';
import { OutageLog } from './outage-log.js';
import { DatabaseUnavailableError, isDatabaseUnavailable } from '../database/database-unavailable.js';
import { driverErrorOf } from '../database/sql-state.js';

/** Work that began before the recovery may still fail within this time: no query or connection takes longer. */
const LATE_FAILURE_MS = 6_000;
/** While the feed is healthy, an outage of other work is over after this time without a failure. */
const QUIET_AFTER_MS = 10_000;

const RECOVERED = 'The database is available again.';

/** The meaning of SQLSTATEs that a working server may return. */
const REASONS: Record<string, string> = {
  '25006': 'it rejects writes (25006)',
  '55P03': 'a lock timed out (55P03)',
  '57014': 'a statement timed out (57014)',
};

/**
 * Logs an outage of the database once, however many parts of the process notice it: one line when it starts, one a
 * minute, and one on recovery, which the invalidation feed detects since it polls constantly.
 */
export class DatabaseOutage {
  private readonly log: OutageLog;
  private affectsFeed = false;
  private failedAt = Number.NEGATIVE_INFINITY;
  private recoveredAt = Number.NEGATIVE_INFINITY;

  /** @param now monotonic milliseconds */
  constructor(
    logger: Pick<Logger, 'warn' | 'log'> = new Logger('Database'),
    private readonly now: () => number = () => performance.now(),
  ) {
    this.log = new OutageLog(logger, now);
  }

  /**
   * Logs failed work: as a warning or, if the database is unavailable, at `debug`, since the outage is logged here.
   *
   * @param what names the failure, without a full stop
   */
  report(logger: Pick<Logger, 'warn' | 'debug'>, what: string, error: unknown): void {
    const line = `${what} (${summarizeError(error)}).`;
    if (!isDatabaseUnavailable(error)) return logger.warn(line);
    if (this.log.isActive || this.now() - this.recoveredAt > LATE_FAILURE_MS) this.failed(error);
    logger.debug(line);
  }

  /** The feed could not be read, for any reason. */
  feedFailed(error: unknown): void {
    this.affectsFeed = true;
    this.failed(error);
  }

  feedSucceeded(): void {
    if (!this.log.isActive) return;
    if (!this.affectsFeed && this.now() - this.failedAt < QUIET_AFTER_MS) return;
    this.log.recovered(RECOVERED);
    this.affectsFeed = false;
    this.recoveredAt = this.now();
  }

  private failed(error: unknown): void {
    this.failedAt = this.now();
    const effect = this.affectsFeed
      ? ' Invalidations may be missed; cached keys are served for STALE_IF_ERROR_SECONDS.'
      : '';
    this.log.failed(`The database is unavailable (${reasonOf(error)}).${effect}`);
  }
}

/** Shared by the whole process. */
export const databaseOutage = new DatabaseOutage();

/** The message of the network or the server, without our wrappers. */
function reasonOf(error: unknown): string {
  if (error instanceof DatabaseUnavailableError && error.cause !== undefined) return reasonOf(error.cause);
  const cause = driverErrorOf(error);
  const { code } = cause as { code?: unknown };
  if (typeof code === 'string' && code in REASONS) return REASONS[code] as string;
  // One error for each address of the host name
  if (cause instanceof AggregateError) return cause.errors.map(reasonOf).join('; ');
  return summarizeError(error).replace(/^Error: /, '');
}
