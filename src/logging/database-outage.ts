import { Logger } from '@nestjs/common';
import { summarizeError } from './describe-error.js';
import { OutageLog } from './outage-log.js';
import { DatabaseUnavailableError, isDatabaseUnavailable } from '../database/database-unavailable.js';
import { driverErrorOf } from '../database/sql-state.js';

/** What had begun before the database was back may fail for so long: no query, and no connection, takes longer. */
const LATE_FAILURE_MS = 6_000;
/** While the changes can be read, other work may fail; that is over when none has failed for so long. */
const QUIET_AFTER_MS = 10_000;

const RECOVERED = 'The database can be used again.';

/** What SQLSTATEs stand for that a working server may answer. */
const REASONS: Record<string, string> = {
  '25006': 'it takes no writes (25006)',
  '55P03': 'a lock could not be had in time (55P03)',
  '57014': 'a statement took too long (57014)',
};

/**
 * What the log is told of a database that is away, however many of the process's parts notice: one line when it goes,
 * one a minute, and one when it is back, which the change feed finds out, since it asks all the time.
 */
export class DatabaseOutage {
  private readonly log: OutageLog;
  private affectsFeed = false;
  private failedAt = Number.NEGATIVE_INFINITY;
  private recoveredAt = Number.NEGATIVE_INFINITY;

  /** @param now steady milliseconds */
  constructor(
    logger: Pick<Logger, 'warn' | 'log'> = new Logger('Database'),
    private readonly now: () => number = () => performance.now(),
  ) {
    this.log = new OutageLog(logger, now);
  }

  /**
   * Logs that work has failed: as a warning, but at `debug` where the database is away, which is told of here.
   *
   * @param what names the work, without a full stop
   */
  report(logger: Pick<Logger, 'warn' | 'debug'>, what: string, error: unknown): void {
    const line = `${what} (${summarizeError(error)}).`;
    if (!isDatabaseUnavailable(error)) return logger.warn(line);
    if (this.log.isActive || this.now() - this.recoveredAt > LATE_FAILURE_MS) this.failed(error);
    logger.debug(line);
  }

  /** The changes could not be read, whatever the reason. */
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
    const meanwhile = this.affectsFeed ? ' Changes may be missed; known keys go on for STALE_IF_ERROR_SECONDS.' : '';
    this.log.failed(`The database cannot be used now (${reasonOf(error)}).${meanwhile}`);
  }
}

/** The one of this process. */
export const databaseOutage = new DatabaseOutage();

/** What the network or the server said, without what it was wrapped in here. */
function reasonOf(error: unknown): string {
  if (error instanceof DatabaseUnavailableError && error.cause !== undefined) return reasonOf(error.cause);
  const cause = driverErrorOf(error);
  const { code } = cause as { code?: unknown };
  if (typeof code === 'string' && code in REASONS) return REASONS[code] as string;
  // Of a name with several addresses, each was tried
  if (cause instanceof AggregateError) return cause.errors.map(reasonOf).join('; ');
  return summarizeError(error).replace(/^Error: /, '');
}
