import { randomUUID } from 'node:crypto';
import type { RedisConnection } from './redis-connection.js';
import { HEARTBEAT } from './redis-scripts.js';

/** A process that has not been heard of for this long does not count any more. */
const LIFETIME_MS = 30_000;
/** Until Redis has told: rather too many, since a limit is divided by it. */
const ASSUMED = 4;

/** How many processes count rates in the same Redis, as each of them tells it every other second. */
export class ProcessCount {
  private readonly id = randomUUID();
  private last = ASSUMED;
  private hasHeard = false;
  private before = 0;

  /** @param key where they are listed */
  constructor(private readonly key: string) {}

  /** The larger of the last two counts: after an outage, the others may not have come back yet. At least 1. */
  get count(): number {
    return Math.max(1, this.last, this.before);
  }

  /** @returns whether this process was not listed there: it is new, was away for long, or the server has lost what it knew */
  async beat(connection: RedisConnection): Promise<boolean> {
    const [count, isNew] = (await connection.run(HEARTBEAT, this.key, [this.id, LIFETIME_MS])) as [number, number];
    this.before = this.hasHeard ? this.last : 0;
    this.last = count;
    this.hasHeard = true;
    return isNew === 1;
  }
}
