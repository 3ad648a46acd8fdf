import pg from 'pg';
import type { DatabaseLocation } from '../config/environment.js';
import { afterLoopTime } from './loop-time.js';
import { postgresOptions } from './postgres-url.js';
import { LateAnswerError } from './within.js';

/** How long the server works on a statement, and waits for a lock, before it gives up and says so; 0 for ever. */
export interface StatementLimits {
  statementTimeoutMs: number;
  lockTimeoutMs: number;
}

/** What pg wants to know of a connection to the database. */
export function connectionOptions(location: DatabaseLocation, limits: StatementLimits): pg.ClientConfig {
  return {
    application_name: APPLICATION_NAME,
    ...('url' in location ? postgresOptions(location.url) : embeddedOptions(location.dataDir)),
    statement_timeout: limits.statementTimeoutMs,
    lock_timeout: limits.lockTimeoutMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
  };
}

/** Of the socket in the folder. */
function embeddedOptions(dataDir: string): pg.ClientConfig {
  return { host: dataDir, port: 5432, user: 'postgres', database: 'postgres', ssl: false };
}

/** A process that is stopped in the middle of a transaction must not keep its locks: others' revocations wait for them. */
const IDLE_IN_TRANSACTION_MS = 1_500;

/** What the database calls our connections, in `pg_stat_activity`. */
const APPLICATION_NAME = 'w3ipfs-api-keys';

/**
 * A connection that the server ends at the very moment it is opened emits an error before the pool listens for it, and
 * an error without a listener ends the process. The pool learns of it all the same.
 *
 * And one on which a query has not been answered in time is closed: of what is given up here alone, nobody could tell
 * whether it is done after all. The driver would keep the connection, and drop the ROLLBACK that waits behind the
 * query: whoever gets it from the pool next would be in another's transaction. The time is the event loop's own
 * (`loop-time.ts`), since the driver's timer would not look whether the answer has arrived.
 */
export class SafeClient extends pg.Client {
  /** @param options with how long a query may take, in milliseconds; absent or 0: as long as it likes */
  constructor(options: pg.ClientConfig & { queryTimeoutMs?: number }) {
    // As it is, since a pool hides the password from whoever would copy it
    super(options);
    const { queryTimeoutMs = 0 } = options;
    this.on('error', () => undefined);
    if (queryTimeoutMs === 0) return;
    const query = this.query.bind(this) as (...call: unknown[]) => unknown;
    this.query = ((...call: unknown[]) => {
      const answer = query(...call);
      return answer instanceof Promise ? this.inTime(queryTimeoutMs, answer) : answer;
    }) as pg.Client['query'];
  }

  /** Closes the connection at once, whatever is under way on it. */
  destroy(): void {
    this.connection.stream.destroy();
  }

  private async inTime<T>(milliseconds: number, answer: Promise<T>): Promise<T> {
    let isLate = false;
    const cancel = afterLoopTime(milliseconds, () => {
      isLate = true;
      this.destroy();
    });
    try {
      return await answer;
    } catch (error) {
      throw isLate ? new LateAnswerError(`Query read timeout: no answer within ${milliseconds} ms`) : error;
    } finally {
      cancel();
    }
  }
}
