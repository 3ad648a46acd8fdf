import pg from 'pg';
import type { DatabaseLocation } from '../config/environment.js';
import { afterLoopTime } from './loop-time.js';
import { postgresOptions } from '../config/postgres-url.js';
import { retryOnConflict } from './retry-on-conflict.js';
import { assertUsableServer, poolerError, watchParameters } from './server-parameters.js';
import { TimeoutError } from './with-timeout.js';

/** Server-side timeouts in milliseconds; 0 for none. */
export interface StatementLimits {
  statementTimeoutMs: number;
  lockTimeoutMs: number;
  /** How long a transaction may be idle; absent: as long as others can wait for its locks. */
  idleInTransactionMs?: number | undefined;
}

/** The options of pg for a connection to the database. */
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

/** For the socket in the data folder. */
function embeddedOptions(dataDir: string): pg.ClientConfig {
  return { host: dataDir, port: 5432, user: 'postgres', database: 'postgres', ssl: false };
}

/** A process stopped in the middle of a transaction must not keep its locks: revocations wait for them. */
const IDLE_IN_TRANSACTION_MS = 1_500;

/** The name of our connections in `pg_stat_activity`. */
const APPLICATION_NAME = 'w3ipfs-api-keys';

/** The statement with which TypeORM starts every transaction, including migrations. */
const START_TRANSACTION = 'START TRANSACTION';

type Connected = ((error: Error) => void) | ((error: null, client: pg.Client) => void);
type Query = (text: unknown, ...rest: unknown[]) => unknown;

/**
 * The client of every connection, pooled or dedicated: checks the server, retries conflicts, sets the limits of each
 * transaction, and closes a connection whose query times out.
 */
export class SafeClient extends pg.Client {
  private readonly parameters = watchParameters(this);
  private readonly queryTimeoutMs: number;
  private readonly startTransaction: string;

  /** @param options with the client-side timeout of a query in milliseconds; absent or 0: none */
  constructor(options: pg.ClientConfig & { queryTimeoutMs?: number }) {
    // Passed unchanged: a pool makes the password non-enumerable, so a copy would lose it
    super(options);
    this.queryTimeoutMs = options.queryTimeoutMs ?? 0;
    this.startTransaction = startTransaction(options);
    // A connection that the server closes while it opens emits an error before the pool listens, and an error without a
    // listener ends the process. The pool is notified anyway.
    this.on('error', () => undefined);
    const query = this.query.bind(this) as Query;
    this.query = ((...[text, ...rest]: Parameters<Query>) => {
      if (rest.some((argument) => typeof argument === 'function')) return query(text, ...rest);
      const send = () =>
        this.withQueryTimeout(query(text === START_TRANSACTION ? this.startTransaction : text, ...rest));
      // Within a transaction, the whole transaction must be retried, by its caller
      return this.getTransactionStatus() === 'I' ? retryOnConflict(send) : send();
    }) as pg.Client['query'];
  }

  /** @throws StandbyError, StartError if the server is unsuitable */
  override connect(): Promise<pg.Client>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<pg.Client> | void {
    const connected = this.connectUsable();
    if (!callback) return connected;
    const call = callback as (error: Error | null, client?: pg.Client) => void;
    connected.then((client) => call(null, client), call);
  }

  /** Closes the connection at once; queries in progress fail. */
  destroy(): void {
    this.connection.stream.destroy();
  }

  /**
   * Whether a pooler is in front of the server. Then each transaction may run on another server connection, so session
   * settings and `LISTEN` do not work. Detected by the process id, which a pooler replaces by one of its own.
   */
  async isPooled(): Promise<boolean> {
    const processID = Reflect.get(this, 'processID') as number;
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
   * Closes the connection if a query times out, since its outcome is unknown. The driver's own timeout would keep the
   * connection and drop the ROLLBACK queued behind the query, so its next user would be in a foreign transaction; and
   * it could fire before an answer that has already arrived is read (`loop-time.ts`).
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
 * Sets the isolation level and limits in the round trip that starts each transaction: the database may have another
 * default, and behind a pooler the settings of the session are lost.
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
