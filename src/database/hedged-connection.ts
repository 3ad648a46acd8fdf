import { DatabaseUnavailableError } from './database-unavailable.js';
import type { DedicatedConnection } from './dedicated-connection.js';
import { afterLoopTime } from './loop-time.js';
import type { SafeClient } from './safe-client.js';

/** Delay without an answer before the read is hedged on a second connection. */
const HEDGE_AFTER_MS = 1_000;
/** Longer than the statement timeout (`READ_LIMITS`): a live server answers, or fails the statement, before. */
const SILENCE_TIMEOUT_MS = 4_000;
/** Interval of probes of a silent database. */
const PROBE_INTERVAL_MS = 2_000;

/** Limits under which a live server always answers before it counts as silent. */
export const READ_LIMITS = { statementTimeoutMs: 2_000, lockTimeoutMs: 1_000 };

type Work<T> = (client: SafeClient) => Promise<T>;

/**
 * Hedged reads that distinguish a slow database from an unavailable one. It is unavailable if the network or the server
 * refuses a new connection, or if two connections, one of them new, are silent for four seconds of event-loop time
 * (`loop-time.ts`). Pools are not involved, so a full one cannot count as an outage.
 */
export class HedgedConnection {
  private first: DedicatedConnection;
  private second: DedicatedConnection | undefined;
  private refusedAt = Number.NEGATIVE_INFINITY;
  private isSilent = false;
  private probedAt = Number.NEGATIVE_INFINITY;

  /** @param refusalValidMs how long a refused connection counts for further reads */
  constructor(
    private readonly create: () => DedicatedConnection,
    private readonly refusalValidMs: number,
  ) {
    this.first = create();
  }

  /** Whether the database was just found unavailable. */
  get isUnavailable(): boolean {
    return this.isSilent || this.isRefused;
  }

  /** Whether a connection was just refused. Retrying after a refusal is cheap; after silence it is not. */
  get isRefused(): boolean {
    return performance.now() - this.refusedAt < this.refusalValidMs;
  }

  /**
   * @param work must only read: it may run twice, on two connections
   * @throws DatabaseUnavailableError; any error of the work
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
    let serverError: unknown;
    const hedged = new Promise<T>((resolve, reject) => {
      cancelHedge = afterLoopTime(HEDGE_AFTER_MS, () => {
        // A server error on the second connection alone, such as too many clients, must not fail the first
        const note = (error: unknown) =>
          error instanceof DatabaseUnavailableError ? reject(error) : (serverError = error);
        this.tryOn(this.openSecond(), work).then(resolve, note);
      });
      cancelSilence = afterLoopTime(SILENCE_TIMEOUT_MS, () => {
        this.isSilent = serverError === undefined;
        if (!this.isSilent) this.replaceFirst(this.create());
        reject(serverError ?? new DatabaseUnavailableError(new Error('no answer on two connections')));
      });
      this.tryOn(this.first, work).then(resolve, reject);
    });
    return hedged.finally(() => {
      cancelHedge?.();
      cancelSilence?.();
    });
  }

  /** Any outcome ends the silence, and the connection that answers first replaces the other. */
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

  /** Probes on a new connection each time, since the current ones may never get an answer. */
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
    const previous = this.second;
    this.second = undefined;
    previous?.close();
  }

  private replaceFirst(connection: DedicatedConnection): void {
    const previous = this.first;
    this.first = connection;
    previous.close();
  }
}
