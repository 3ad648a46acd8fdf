import type { Clock } from '../clock.js';
import type { RateLimit } from '../principals/key-limits.js';
import { ConcurrencyLimit } from '../http/load/concurrency-limit.js';
import { FallbackRates } from './fallback-rates.js';
import type { InProcessRateLimiter } from './in-process-rate-limiter.js';
import { ProcessCount } from './process-count.js';
import { toDecision, type RateDecision, RateLimiter } from './rate-limiter.js';
import { RedisCatchUp } from './redis-catch-up.js';
import { RedisConnection } from './redis-connection.js';
import { REFUND, TAKE } from './redis-scripts.js';
import { type WindowResult, slotMsOf } from './sliding-window.js';

/** The number of decisions that may wait for Redis: more than it can make before they time out. */
const MAX_PENDING = 10_000;

export interface RedisSettings {
  /** `redis://` or `rediss://`. */
  url: string;
  /** The prefix of all keys. */
  prefix?: string;
  /** Replaces the server's time, which all processes share; for tests. */
  clock?: Clock;
}

/** The reply of `TAKE`. */
type TakeReply = [
  granted: number,
  remaining: number,
  resetMs: number,
  retryAfterMs: number,
  position: number,
  startedAt: number,
];

/**
 * Counts in Redis, for all processes together: one script call per decision, by the server's time.
 *
 * While Redis is unavailable, this process decides at once, within its share of each limit (`FallbackRates`), and reports
 * its grants to Redis before using it again. If Redis comes back empty, its last known counts are restored. A call that
 * times out may still be charged in Redis: too strict for one window, never too lax. If the server's clock jumps
 * forwards, earlier charges expire.
 */
export class RedisRateLimiter extends RateLimiter {
  /** The number of decisions made locally because Redis was unavailable. */
  fallbacks = 0;
  private readonly pending = new ConcurrencyLimit(MAX_PENDING, 'Too many rate-limit decisions are pending.');
  private readonly connection: RedisConnection;
  private readonly processes: ProcessCount;
  private readonly fallback: FallbackRates;
  private readonly catchUp: RedisCatchUp;
  private readonly prefix: string;
  private readonly serverClock: Clock | undefined;

  /**
   * @param local counts while Redis is unavailable
   * @param clock this process's clock, used while Redis is unavailable
   */
  constructor(
    { url, prefix = 'w3ipfs:rate:', clock: serverClock }: RedisSettings,
    local: InProcessRateLimiter,
    clock: Clock,
  ) {
    super();
    this.prefix = prefix;
    this.serverClock = serverClock;
    this.processes = new ProcessCount(`${prefix}processes`);
    this.fallback = new FallbackRates(local, () => this.processes.count, clock);
    this.catchUp = new RedisCatchUp(this.processes, this.fallback, (...args) => this.takeInRedis(...args));
    this.connection = new RedisConnection(url, {
      probe: (connection) => this.probe(connection),
      catchUp: (closing) => this.catchUp.run(closing),
    });
  }

  /** Whether decisions are currently made in Redis. */
  get isShared(): boolean {
    return this.connection.isUp;
  }

  get bytes(): number {
    return this.fallback.bytes;
  }

  /** The last known number of processes that share this Redis. */
  get processCount(): number {
    return this.processes.count;
  }

  /** Connects. Resolves after the first attempt, whether or not it succeeds. */
  async open(): Promise<void> {
    await this.connection.open();
    this.catchUp.startHeartbeat(this.connection);
  }

  close(): Promise<void> {
    this.catchUp.close();
    return this.connection.close();
  }

  take(key: string, limit: RateLimit, cost: number, owner?: string): RateDecision | Promise<RateDecision> {
    return this.connection.isUp ? this.takeShared(key, limit, cost, owner) : this.takeLocally(key, limit, cost, owner);
  }

  private async takeShared(key: string, limit: RateLimit, cost: number, owner?: string): Promise<RateDecision> {
    this.pending.acquire();
    try {
      const [result, charge] = await this.takeInRedis(key, limit, cost);
      let refundable = charge;
      return toDecision(limit, result, async () => {
        const charged = refundable;
        refundable = undefined;
        if (charged) await this.refund(key, charged);
      });
    } catch (error) {
      this.connection.markDown(error);
      return this.takeLocally(key, limit, cost, owner);
    } finally {
      this.pending.release();
    }
  }

  /** @param isGranted whether the cost was granted already, so that it is charged even if it does not fit */
  private async takeInRedis(
    key: string,
    limit: RateLimit,
    cost: number,
    isGranted = false,
  ): Promise<[WindowResult, number[]?]> {
    const slotMs = slotMsOf(limit);
    const now = this.serverClock?.now() ?? '';
    const args = [limit.requests, slotMs, cost, now, Number(isGranted), ...this.fallback.lastReport(key)];
    const reply = (await this.connection.run(TAKE, this.prefix + key, args)) as TakeReply;
    const [granted, remaining, resetMs, retryAfterMs, position, startedAt] = reply;
    const result = { granted: granted === 1, remaining, resetMs, retryAfterMs };
    this.fallback.recordReport(key, limit, result, startedAt);
    return result.granted && cost > 0 ? [result, [position, slotMs, cost]] : [result];
  }

  private takeLocally(key: string, limit: RateLimit, cost: number, owner?: string): RateDecision {
    this.fallbacks++;
    return this.fallback.take(key, limit, cost, owner);
  }

  private async refund(key: string, charge: readonly number[]): Promise<void> {
    if (!this.connection.isUp) return;
    try {
      await this.connection.run(REFUND, this.prefix + key, charge);
    } catch (error) {
      this.connection.markDown(error);
    }
  }

  private async probe(connection: RedisConnection): Promise<void> {
    // Charges a key, since a server that cannot write (out of memory, a replica) is unusable too
    await connection.run(TAKE, `${this.prefix}probe`, [1_000_000, 10, 1, '']);
    await this.catchUp.announce(connection);
  }
}
