import type { Clock } from '../config/clock.js';
import { Admission } from '../contract/admission.js';
import type { InProcessRateLimiter } from './in-process-rate-limiter.js';
import { decisionOf, type RateDecision, RateLimiter } from './rate-limiter.js';
import { RedisConnection } from './redis-connection.js';
import { GIVE_BACK, TAKE } from './redis-scripts.js';
import { type RateLimit, slotMsOf } from './sliding-window.js';

/** So many decisions may wait for Redis: more than it makes in the time in which an answer is of use. */
const MOST_ASKING = 10_000;

export interface RedisSettings {
  /** `redis://` or `rediss://`. */
  url: string;
  /** What all keys begin with. */
  prefix?: string;
  /** Instead of the server's time, which all processes share. */
  clock?: Clock;
}

/**
 * Counts in Redis, for all processes together: one script call a decision, by the server's own time.
 *
 * While Redis is away, this process decides at once, by its own count; what it grants meanwhile is not told to
 * Redis afterwards. A call that Redis answers too late may be charged there besides: too strict for a window,
 * never too lax. If the server's clock jumps forwards, what was granted before is forgotten.
 */
export class RedisRateLimiter extends RateLimiter {
  /** How many decisions this process has made because Redis was away. */
  fallbacks = 0;
  private readonly asking = new Admission(MOST_ASKING, 'Too many rates are being counted.');
  private readonly connection: RedisConnection;
  private readonly prefix: string;
  private readonly clock: Clock | undefined;

  constructor(
    { url, prefix = 'w3ipfs:rate:', clock }: RedisSettings,
    private readonly own: InProcessRateLimiter,
  ) {
    super();
    this.prefix = prefix;
    this.clock = clock;
    // A charge, since a server that cannot write (out of memory, a replica) is of no use either
    this.connection = new RedisConnection(url, (connection) =>
      connection.run(TAKE, `${prefix}probe`, [1_000_000, 10, 1, '']),
    );
  }

  /** Whether decisions are made in Redis now. */
  get isShared(): boolean {
    return this.connection.isUp;
  }

  /** Connects; resolves after the first attempt, however it ends. */
  open(): Promise<void> {
    return this.connection.open();
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  take(key: string, limit: RateLimit, cost: number): RateDecision | Promise<RateDecision> {
    return this.connection.isUp ? this.takeShared(key, limit, cost) : this.takeAlone(key, limit, cost);
  }

  private async takeShared(key: string, limit: RateLimit, cost: number): Promise<RateDecision> {
    const slotMs = slotMsOf(limit);
    this.asking.enter();
    try {
      const args = [limit.requests, slotMs, cost, this.clock?.now() ?? ''];
      const answer = await this.connection.run(TAKE, this.prefix + key, args);
      const [granted, remaining, resetMs, retryAfterMs, position] = answer as [number, number, number, number, number];
      const reckoning = { granted: granted === 1, remaining, resetMs, retryAfterMs };
      let charge: number[] | undefined = reckoning.granted && cost > 0 ? [position, slotMs, cost] : undefined;
      return decisionOf(limit, reckoning, async () => {
        const given = charge;
        charge = undefined;
        if (given) await this.giveBack(key, given);
      });
    } catch (error) {
      this.connection.lost(error);
      return this.takeAlone(key, limit, cost);
    } finally {
      this.asking.leave();
    }
  }

  private takeAlone(key: string, limit: RateLimit, cost: number): RateDecision {
    this.fallbacks++;
    return this.own.take(key, limit, cost);
  }

  private async giveBack(key: string, charge: readonly number[]): Promise<void> {
    if (!this.connection.isUp) return;
    try {
      await this.connection.run(GIVE_BACK, this.prefix + key, charge);
    } catch (error) {
      this.connection.lost(error);
    }
  }
}
