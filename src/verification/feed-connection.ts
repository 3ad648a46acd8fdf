import type { Invalidation } from '../api-keys/invalidation/key-invalidations.js';
import type { Environment } from '../config/environment.js';
import type { Database } from '../database/database.js';
import type { DedicatedConnection } from '../database/dedicated-connection.js';
import type { SafeClient } from '../database/safe-client.js';
import { withTimeout } from '../database/with-timeout.js';
import { FeedPosition, type InvalidationRow, type Position } from './feed-position.js';
import type { InvalidationNotifications } from './invalidation-notifications.js';
import { type Moment, momentNow } from './moment.js';

/** Enough to connect to a server that is a quarter of a second away: TCP, TLS, a password, and `prepare()`. */
const CONNECT_TIMEOUT_MS = 3_000;

/** The result of a poll. */
export interface Poll {
  /** Before the statement was sent: all changes up to then are included. */
  startedAt: Moment;
  /** Those that no earlier poll returned. */
  changed: Invalidation[];
  /** The position that the poll reached. */
  position: Position;
  isOtherServer: boolean;
  /** The first poll of a connection. It may lead to another server, which need not reveal its identity. */
  isNewConnection: boolean;
}

/** Reads the invalidations of other processes, over a connection that is used for nothing else and never waits for a pool. */
export class FeedConnection {
  private readonly position = new FeedPosition();
  private connection: DedicatedConnection;
  /** Whether a poll has succeeded on the current connection. */
  private hasPolled = false;

  constructor(
    private readonly environment: Environment,
    private readonly database: Database,
    private readonly notifications: InvalidationNotifications,
  ) {
    this.connection = this.create();
  }

  /**
   * @param timeoutMs for the answer alone; a connection may have to be opened first
   * @throws LateAnswerError, StandbyError, DatabaseUnavailableError; whatever the database throws
   */
  async poll(timeoutMs: number): Promise<Poll> {
    const { rows, startedAt } = await withTimeout(CONNECT_TIMEOUT_MS + timeoutMs, this.read(timeoutMs));
    const { changed, isOtherServer } = this.position.advance(rows);
    const position = this.position.current as Position;
    const isNewConnection = !this.hasPolled;
    this.hasPolled = true;
    return { startedAt, changed, position, isOtherServer, isNewConnection };
  }

  /** Replaces the connection; the next poll opens it. */
  reset(): void {
    this.connection.close();
    this.connection = this.create();
  }

  close(): void {
    this.connection.close();
  }

  private create(): DedicatedConnection {
    const limitMs = this.environment.revocationBoundMs;
    const limits = { statementTimeoutMs: limitMs, lockTimeoutMs: limitMs };
    return this.database.dedicated(limits, (client) => this.prepare(client));
  }

  private read(timeoutMs: number): Promise<{ rows: InvalidationRow[]; startedAt: Moment }> {
    return this.connection.run(async (client) => {
      const { statement, parameters } = this.position;
      const startedAt = momentNow();
      const { rows } = await withTimeout(timeoutMs, client.query<InvalidationRow>(statement, parameters));
      return { rows, startedAt };
    });
  }

  /** Runs first on each connection. */
  private async prepare(client: SafeClient): Promise<void> {
    this.hasPolled = false;
    await this.position.prepare(client);
    // The embedded database delivers a notification to whichever connection is served next
    if ('url' in this.environment.database) await this.notifications.listen(client);
  }
}
