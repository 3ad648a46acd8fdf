import { DatabaseUnavailableError, isConnectionLost, isConnectionRefused } from './database-unavailable.js';
import type { SafeClient } from './safe-client.js';

/** How many lost connections the same work survives before it fails. */
const MAX_ATTEMPTS = 3;

/**
 * A connection with a single purpose, outside of the pools, so that it never waits for other work. Opens on first use,
 * and reopens after it was lost.
 */
export class DedicatedConnection {
  private current: { client: SafeClient; ready: Promise<SafeClient> } | undefined;
  private isClosed = false;

  /**
   * @param create returns a connection that is not open yet
   * @param prepare runs first on each new connection, such as `LISTEN`
   */
  constructor(
    private readonly create: () => SafeClient,
    private readonly prepare: (client: SafeClient) => Promise<unknown> = () => Promise.resolve(),
  ) {}

  /**
   * Runs work on the connection, and retries it on a new one if the connection is lost. The work must be repeatable.
   *
   * @throws DatabaseUnavailableError if the network or the server refuses a connection; any error of the work
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

  /** Closes it permanently: work in progress fails, and it does not reopen. */
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
