import pg from 'pg';
import type { DatabaseLocation } from '../config/environment.js';
import { afterLoopTime } from './loop-time.js';
import { postgresOptions } from '../config/postgres-url.js';
import { retryOnConflict } from './retry-on-conflict.js';
import { assertUsableServer, poolerError, watchParameters } from './server-parameters.js';
import { TimeoutError } from './with-timeout.js';

/** How long the server works on a statement, and waits for a lock, before it gives up and says so; 0 for ever. */
export interface StatementLimits {
  statementTimeoutMs: number;
  lockTimeoutMs: number;
  /** How long a process may do nothing in the middle of a transaction; absent: as short as others can wait for its locks. */
  idleInTransactionMs?: number | undefined;
}

/** What pg wants to know of a connection to the database. */
export function connectionOptions(location: DatabaseLocation, limits: StatementLimits): pg.ClientConfig {
  return {
    application_name: APPLICATION_NAME,
    ...('url' in location ? postgresOptions(location.url) : embeddedOptions(location.dataDir)),
    statement_timeout: limits.statementTimeoutMs,
    lock_timeout: limits.lockTimeoutMs,
    idle_in_transaction_session_timeout: limits.idleInTransactionMs ?? IDLE_IN_TRANSACTION_MS,
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

/** What TypeORM begins every transaction with, migrations too. */
const START_TRANSACTION = 'START TRANSACTION';

type Connected = ((error: Error) => void) | ((error: null, client: pg.Client) => void);
type Query = (text: unknown, ...rest: unknown[]) => unknown;

/** What the service asks of every connection, wherever it is opened: by a pool, or by itself. */
export class SafeClient extends pg.Client {
  private readonly parameters = watchParameters(this);
  private readonly queryTimeoutMs: number;
  private readonly startTransaction: string;

  /** @param options with how long a query may take, in milliseconds; absent or 0: as long as it likes */
  constructor(options: pg.ClientConfig & { queryTimeoutMs?: number }) {
    // As it is, since a pool hides the password from whoever would copy it
    super(options);
    this.queryTimeoutMs = options.queryTimeoutMs ?? 0;
    this.startTransaction = startTransaction(options);
    // A connection that the server ends at the very moment it is opened emits an error before the pool listens for it,
    // and an error without a listener ends the process. The pool learns of it all the same.
    this.on('error', () => undefined);
    const query = this.query.bind(this) as Query;
    this.query = ((...[text, ...rest]: Parameters<Query>) => {
      if (rest.some((argument) => typeof argument === 'function')) return query(text, ...rest);
      const send = () => this.withQueryTimeout(query(text === START_TRANSACTION ? this.startTransaction : text, ...rest));
      // In a transaction, the whole of it has to be done again
      return this.getTransactionStatus() === 'I' ? retryOnConflict(send) : send();
    }) as pg.Client['query'];
  }

  /** @throws StandbyError, StartError if the server is not one that the service can work with */
  override connect(): Promise<pg.Client>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<pg.Client> | void {
    const connected = this.connectUsable();
    if (!callback) return connected;
    const call = callback as (error: Error | null, client?: pg.Client) => void;
    connected.then((client) => call(null, client), call);
  }

  /** Closes the connection at once, whatever is under way on it. */
  destroy(): void {
    this.connection.stream.destroy();
  }

  /**
   * Whether a pooler hands out the server's connections: then this one is not the same from one transaction to the next,
   * and what is set on it, or listened for, is another client's. A pooler tells its clients process numbers of its own.
   */
  async isPooled(): Promise<boolean> {
    const { processID } = this as unknown as { processID: number };
    const { rows } = await this.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return rows[0]?.pid !== processID;
  }

  private async connectUsable(): Promise<pg.Client> {
    try {
      await super.connect();
      assertUsableServer(this.parameters);
      return this;
    } catch (error) {
      this.destroy();
      throw poolerError(error) ?? error;
    }
  }

  /**
   * One on which a query has not been answered in time is closed: of what is given up here alone, nobody could tell
   * whether it is done after all. The driver would keep the connection, and drop the ROLLBACK that waits behind the
   * query: whoever gets it from the pool next would be in another's transaction. The time is the event loop's own
   * (`loop-time.ts`), since the driver's timer would not look whether the answer has arrived.
   */
  private async withQueryTimeout(answer: unknown): Promise<unknown> {
    const milliseconds = this.queryTimeoutMs;
    if (milliseconds === 0) return answer;
    let isLate = false;
    const cancel = afterLoopTime(milliseconds, () => {
      isLate = true;
      this.destroy();
    });
    try {
      return await answer;
    } catch (error) {
      throw isLate ? new TimeoutError(`Query read timeout: no answer within ${milliseconds} ms`) : error;
    } finally {
      cancel();
    }
  }
}

/**
 * Every transaction says what it relies on, in the round trip that begins it: the database may have another isolation
 * level for its default, and a pooler hands out connections that know nothing of ours.
 */
function startTransaction(options: pg.ClientConfig): string {
  const limits = {
    statement_timeout: options.statement_timeout,
    lock_timeout: options.lock_timeout,
    idle_in_transaction_session_timeout: options.idle_in_transaction_session_timeout,
  };
  const settings = Object.entries(limits).map(
    ([name, milliseconds]) => `SET LOCAL ${name} = ${Math.trunc(Number(milliseconds))}`,
  );
  return [`${START_TRANSACTION} ISOLATION LEVEL READ COMMITTED`, ...settings].join('; ');
}
