import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { cpuSecondsWithChildren, parentOf } from './process.js';

/** The load of PostgreSQL per second. */
export interface PostgresLoad {
  /** Transactions of the database, committed or rolled back. */
  transactions: number;
  /** CPU cores of all processes of the server: connections, WAL writer, checkpointer, autovacuum. */
  cpuSeconds: number;
}

/** Counters so far. */
interface Reading extends PostgresLoad {
  at: number;
}

/**
 * Measures the load of a database, over a connection to another one, so that the measurement does not count.
 * The server has to run on this machine.
 */
export class PostgresMeter {
  private constructor(
    private readonly client: pg.Client,
    private readonly database: string,
    private readonly postmaster: number,
  ) {}

  static async connect(serverUrl: string, databaseUrl: string): Promise<PostgresMeter> {
    const client = new pg.Client({ connectionString: serverUrl });
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return new PostgresMeter(client, new URL(databaseUrl).pathname.slice(1), parentOf(rows[0]?.pid ?? Number.NaN));
  }

  /**
   * The mean over a number of seconds. A connection reports its statistics at most once a second, and up to ten seconds
   * late when idle: under a steady load, the delays at start and end cancel out.
   */
  async measure(seconds: number): Promise<PostgresLoad> {
    const before = await this.read();
    await sleep(seconds * 1_000);
    const after = await this.read();
    const elapsed = (after.at - before.at) / 1_000;
    return {
      transactions: (after.transactions - before.transactions) / elapsed,
      cpuSeconds: (after.cpuSeconds - before.cpuSeconds) / elapsed,
    };
  }

  /** Settings that affect the cost of a transaction. */
  async settings(): Promise<string> {
    const { rows } = await this.client.query<{ name: string; setting: string }>(
      "SELECT name, setting FROM pg_settings WHERE name IN ('autovacuum', 'fsync', 'server_version', 'synchronous_commit')",
    );
    return rows.map(({ name, setting }) => `${name} ${setting}`).join(', ');
  }

  end(): Promise<void> {
    return this.client.end();
  }

  private async read(): Promise<Reading> {
    const { rows } = await this.client.query<{ count: number }>(
      'SELECT (xact_commit + xact_rollback)::float8 AS count FROM pg_stat_database WHERE datname = $1',
      [this.database],
    );
    const transactions = rows[0]?.count ?? Number.NaN;
    return { transactions, cpuSeconds: cpuSecondsWithChildren(this.postmaster), at: performance.now() };
  }
}
