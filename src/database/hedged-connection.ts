import { DatabaseUnavailableError } from './database-unavailable.js';
import type { DedicatedConnection } from './dedicated-connection.js';
import { afterLoopTime } from './loop-time.js';
import type { SafeClient } from './safe-client.js';

/** Without an answer for so long, a second connection is tried beside the first. */
const HEDGE_AFTER_MS = 1_000;
/** Longer than a server with its own statement timeout (`READ_LIMITS`) can keep silent while it is alive. */
const SILENCE_TIMEOUT_MS = 4_000;
/** How often a silent database is tried anew. */
const PROBE_INTERVAL_MS = 2_000;

/** The server speaks before it would be taken for silent, whatever holds a statement up. */
export const READ_LIMITS = { statementTimeoutMs: 2_000, lockTimeoutMs: 1_000 };

type Work<T> = (client: SafeClient) => Promise<T>;

/**
 * Reads that tell a slow or busy database from one that is away. It is away when the network or the server refuses a
 * new connection, or when two connections, one of them new, have been silent for four seconds in which this process was
 * awake to listen (`loop-time.ts`). A full pool has no part in it, for there is none here.
 */
export class HedgedConnection {
  private first: DedicatedConnection;
  private second: DedicatedConnection | undefined;
  private refusedAt = Number.NEGATIVE_INFINITY;
  private isSilent = false;
  private probedAt = Number.NEGATIVE_INFINITY;

  /** @param refusalStandsMs for how long one refused connection speaks for further reads */
  constructor(
    private readonly create: () => DedicatedConnection,
    private readonly refusalStandsMs: number,
  ) {
    this.first = create();
  }

  /** Whether the database was found away just now. A refusal costs nothing to ask for again; silence does. */
  get isUnavailable(): boolean {
    return this.isSilent || this.isRefused;
  }

  /** Whether a connection was refused just now. */
  get isRefused(): boolean {
    return performance.now() - this.refusedAt < this.refusalStandsMs;
  }

  /**
   * @param work reads only: it may be done twice, on two connections
   * @throws DatabaseAwayError; whatever the server says of the work
   */
  async run<T>(work: Work<T>): Promise<T> {
    if (this.isSilent) {
      this.probe(work);
      throw new DatabaseUnavailableError(undefined);
    }
    try {
      return await this.hedge(work);
    } catch (error) {
      if (error instanceof DatabaseUnavailableError && !this.isSilent) this.refusedAt = performance.now();
      throw error;
    }
  }

  close(): void {
    this.first.close();
    this.second?.close();
  }

  private async hedge<T>(work: Work<T>): Promise<T> {
    let cancelHedge: (() => void) | undefined;
    let cancelSilence: (() => void) | undefined;
    let saidByServer: unknown;
    const hedged = new Promise<T>((resolve, reject) => {
      cancelHedge = afterLoopTime(HEDGE_AFTER_MS, () => {
        // What the server says of the second connection alone, that it has too many, say, is no answer to the first
        const noted = (error: unknown) =>
          error instanceof DatabaseUnavailableError ? reject(error) : (saidByServer = error);
        this.tryOn(this.openSecond(), work).then(resolve, noted);
      });
      cancelSilence = afterLoopTime(SILENCE_TIMEOUT_MS, () => {
        this.isSilent = saidByServer === undefined;
        if (!this.isSilent) this.replaceFirst(this.create());
        reject(saidByServer ?? new DatabaseUnavailableError(new Error('no answer on two connections')));
      });
      this.tryOn(this.first, work).then(resolve, reject);
    });
    return hedged.finally(() => {
      cancelHedge?.();
      cancelSilence?.();
    });
  }

  /** Whatever comes of it, the database is silent no longer; and the connection that answers is the one to use. */
  private async tryOn<T>(connection: DedicatedConnection, work: Work<T>): Promise<T> {
    try {
      const result = await connection.run(work);
      if (connection === this.second) {
        this.second = undefined;
        this.replaceFirst(connection);
      } else this.closeSecond();
      return result;
    } finally {
      if (connection === this.first || connection === this.second) this.isSilent = false;
    }
  }

  /** Over a new connection each time, since what the present ones wait for may never come. Nobody waits for it. */
  private probe<T>(work: Work<T>): void {
    if (performance.now() - this.probedAt < PROBE_INTERVAL_MS) return;
    this.probedAt = performance.now();
    this.tryOn(this.openSecond(), work).catch(() => undefined);
  }

  private openSecond(): DedicatedConnection {
    this.closeSecond();
    this.second = this.create();
    return this.second;
  }

  private closeSecond(): void {
    const former = this.second;
    this.second = undefined;
    former?.close();
  }

  private replaceFirst(connection: DedicatedConnection): void {
    const former = this.first;
    this.first = connection;
    former.close();
  }
}
