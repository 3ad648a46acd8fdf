import { setTimeout as sleep } from 'node:timers/promises';
import type { RateLimit } from '../principals/key-limits.js';
import type { FallbackRates } from './fallback-rates.js';
import type { ProcessCount } from './process-count.js';
import type { RedisConnection } from './redis-connection.js';

/** How long this process still decides locally once Redis responds, so that all processes have reported their grants. */
const SETTLE_MS = 500;
const HEARTBEAT_INTERVAL_MS = 2_000;
/** The number of concurrent script calls. */
const BATCH_SIZE = 100;
/** The number of keys restored at once to a server that lost its data. Other keys are restored when used. */
const MAX_RESTORED = 10_000;
/** The number of rounds that report grants made during the previous round. */
const MAX_ROUNDS = 10;

/**
 * Charges a cost in Redis, along with the key's last report.
 *
 * @param isGranted whether the cost was granted already
 */
type TakeInRedis = (key: string, limit: RateLimit, cost: number, isGranted?: boolean) => Promise<unknown>;

/**
 * Brings Redis up to date: registers this process, reports the costs granted during an outage and, if the server lost its
 * data, restores the last known counts.
 */
export class RedisCatchUp {
  private heartbeat: NodeJS.Timeout | undefined;
  /** Redis no longer lists this process, so it may have lost its counts too. */
  private mayHaveLostState = false;

  constructor(
    private readonly processes: ProcessCount,
    private readonly fallback: FallbackRates,
    private readonly takeInRedis: TakeInRedis,
  ) {}

  startHeartbeat(connection: RedisConnection): void {
    this.heartbeat = setInterval(() => this.beat(connection), HEARTBEAT_INTERVAL_MS).unref();
  }

  close(): void {
    clearInterval(this.heartbeat);
  }

  /** Registers this process in Redis and updates the number of processes. */
  async announce(connection: RedisConnection): Promise<void> {
    if (await this.processes.beat(connection)) this.mayHaveLostState = true;
  }

  /** Runs after an outage, before the server is used again. */
  async run(closing: AbortSignal): Promise<void> {
    await this.restoreLostState();
    await this.reportGrants();
    await sleep(SETTLE_MS, undefined, { signal: closing, ref: false });
    await this.reportGrants();
    this.fallback.clear();
  }

  private beat(connection: RedisConnection): void {
    if (!connection.isUp) return;
    const updated = this.announce(connection).then(() => this.restoreLostState());
    updated.catch((error: unknown) => connection.markDown(error));
  }

  private async restoreLostState(): Promise<void> {
    if (!this.mayHaveLostState) return;
    // Reset first: the server may lose its data again during the restore
    this.mayHaveLostState = false;
    try {
      const keys = this.fallback.keysInUse(MAX_RESTORED);
      // Each call carries the key's last report, from which the script restores lost counts
      await inBatches(keys, ([key, limit]) => this.takeInRedis(key, limit, 0));
    } catch (error) {
      this.mayHaveLostState = true;
      throw error;
    }
  }

  /**
   * Reports the costs granted without Redis, including those granted meanwhile. Limited to some rounds, since under load
   * there are always more. Failed reports are retried next time.
   */
  private async reportGrants(): Promise<void> {
    for (let rounds = 0; rounds < MAX_ROUNDS; rounds++) {
      const grants = this.fallback.drainUnreported();
      if (grants.length === 0) return;
      const reported = inBatches(grants, ([key, { limit, cost }]) => this.takeInRedis(key, limit, cost, true));
      await reported.catch((error: unknown) => {
        this.fallback.restoreUnreported(grants);
        throw error;
      });
    }
  }
}

/** Sends all entries, a batch at a time, and removes those that were sent. */
async function inBatches<T>(entries: T[], send: (entry: T) => Promise<unknown>): Promise<void> {
  while (entries.length > 0) {
    const batch = entries.slice(0, BATCH_SIZE);
    await Promise.all(batch.map(send));
    entries.splice(0, batch.length);
  }
}
