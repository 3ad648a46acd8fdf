import { randomUUID } from 'node:crypto';
import type { RedisConnection } from './redis-connection.js';
import { HEARTBEAT } from './redis-scripts.js';

/** A process is dropped from the count this long after its last heartbeat. */
const LIFETIME_MS = 30_000;
/** Assumed until Redis reports a count. Limits are divided by it, so a high value errs on the strict side. */
const ASSUMED_COUNT = 4;

/** The number of processes that share a Redis, from their heartbeats. */
export class ProcessCount {
  private readonly id = randomUUID();
  private current = ASSUMED_COUNT;
  private hasCounted = false;
  private previous = 0;

  /** @param key the Redis key of the list of processes */
  constructor(private readonly key: string) {}

  /** The larger of the last two counts, since other processes may reconnect later after an outage. At least 1. */
  get count(): number {
    return Math.max(1, this.current, this.previous);
  }

  /** @returns whether this process was not listed: it is new, was disconnected for long, or the server lost its data */
  async beat(connection: RedisConnection): Promise<boolean> {
    const [count, isNew] = (await connection.run(HEARTBEAT, this.key, [this.id, LIFETIME_MS])) as [number, number];
    this.previous = this.hasCounted ? this.current : 0;
    this.current = count;
    this.hasCounted = true;
    return isNew === 1;
  }
}
