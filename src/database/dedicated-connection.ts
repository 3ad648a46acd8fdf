import { DatabaseUnavailableError, isConnectionLost, isConnectionRefused } from './database-unavailable.js';
import type { SafeClient } from './safe-client.js';

/** How many connections may be lost under the same work before it fails. */
const MAX_ATTEMPTS = 3;

/**
 * A connection of one purpose, outside of every pool, so that it never waits for other work. It is opened when it
 * is first needed, and again after it was lost.
 */
export class DedicatedConnection {
  private current: { client: SafeClient; ready: Promise<SafeClient> } | undefined;
  private isClosed = false;

  /**
   * @param create makes a connection that is not open yet
   * @param prepare what is done on it first of all, such as `LISTEN`
   */
  constructor(
    private readonly create: () => SafeClient,
    private readonly prepare: (client: SafeClient) => Promise<unknown> = () => Promise.resolve(),
  ) {}

  /**
   * Does work on the connection. Only what may be done twice: where the connection is lost under it, it is done again on
   * another one.
   *
   * @throws DatabaseAwayError if the network or the server refuses a connection; whatever the work throws
   */
  async run<T>(work: (client: SafeClient) => Promise<T>): Promise<T> {
    for (let attempts = 1; ; attempts++) {
      if (this.isClosed) throw new Error('this connection was closed');
      const client = await this.open();
      try {
        return await work(client);
      } catch (error) {
        if (!isConnectionLost(error)) throw error;
        this.drop(client);
        if (attempts >= MAX_ATTEMPTS) throw error;
      }
    }
  }

  /** Closes it for good: what is under way on it fails, and nothing is opened again. */
  close(): void {
    this.isClosed = true;
    if (this.current) this.drop(this.current.client);
  }

  private open(): Promise<SafeClient> {
    if (this.current) return this.current.ready;
    const client = this.create();
    const ready = this.connect(client);
    this.current = { client, ready };
    return ready;
  }

  private async connect(client: SafeClient): Promise<SafeClient> {
    client.once('end', () => this.drop(client));
    try {
      await client.connect();
      await this.prepare(client);
      return client;
    } catch (error) {
      this.drop(client);
      throw isConnectionRefused(error) ? new DatabaseUnavailableError(error) : error;
    }
  }

  private drop(client: SafeClient): void {
    client.destroy();
    if (this.current?.client === client) this.current = undefined;
  }
}
