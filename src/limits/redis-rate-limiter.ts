import type { Clock } from '../clock.js';
import type { RateLimit } from '../principals/key-limits.js';
import { ConcurrencyLimit } from '../http/load/concurrency-limit.js';
import { FallbackRates } from './fallback-rates.js';
import type { InProcessRateLimiter } from './in-process-rate-limiter.js';
import { ProcessCount } from './process-count.js';
import { decisionOf, type RateDecision, RateLimiter } from './rate-limiter.js';
import { RedisCatchUp } from './redis-catch-up.js';
import { RedisConnection } from './redis-connection.js';
import { REFUND, TAKE } from './redis-scripts.js';
import { type WindowResult, slotMsOf } from './sliding-window.js';

/** So many decisions may wait for Redis: more than it makes in the time in which an answer is of use. */
const MAX_ASKING = 10_000;

export interface RedisSettings {
  /** `redis://` or `rediss://`. */
  url: string;
  /** What all keys begin with. */
  prefix?: string;
  /** Instead of the server's time, which all processes share. */
  clock?: Clock;
}

/** What `TAKE` answers. */
type TakeAnswer = [
  granted: number,
  remaining: number,
  resetMs: number,
  retryAfterMs: number,
  position: number,
  begun: number,
];

/**
 * Counts in Redis, for all processes together: one script call a decision, by the server's own time.
 *
 * While Redis is unavailable, this process decides at once, within its share of each limit (`FallbackRates`), and tells
 * Redis what it has granted before using it again. A Redis that comes back empty is told what it has last said. A call
 * that Redis answers too late may be charged there besides: too strict for a window, never too lax. If the server's clock
 * jumps forwards, what was granted before is forgotten.
 */
export class RedisRateLimiter extends RateLimiter {
  /** How many decisions this process has made because Redis was away. */
  fallbacks = 0;
  private readonly asking = new ConcurrencyLimit(MAX_ASKING, 'Too many rates are being counted.');
  private readonly connection: RedisConnection;
  private readonly processes: ProcessCount;
  private readonly fallback: FallbackRates;
  private readonly catchUp: RedisCatchUp;
  private readonly prefix: string;
  private readonly serverClock: Clock | undefined;

  /** @param clock this process's own, by which it counts while Redis is unavailable */
  constructor(
    { url, prefix = 'w3ipfs:rate:', clock: serverClock }: RedisSettings,
    own: InProcessRateLimiter,
    clock: Clock,
  ) {
    super();
    this.prefix = prefix;
    this.serverClock = serverClock;
    this.processes = new ProcessCount(`${prefix}processes`);
    this.fallback = new FallbackRates(own, () => this.processes.count, clock);
    this.catchUp = new RedisCatchUp(this.processes, this.fallback, (...what) => this.ask(...what));
    this.connection = new RedisConnection(url, {
      probe: (connection) => this.probe(connection),
      catchUp: (closing) => this.catchUp.run(closing),
    });
  }

  /** Whether decisions are made in Redis now. */
  get isShared(): boolean {
    return this.connection.isUp;
  }

  get bytes(): number {
    return this.fallback.bytes;
  }

  /** How many processes count in this Redis, as far as this one knows. */
  get processCount(): number {
    return this.processes.count;
  }

  /** Connects; resolves after the first attempt, however it ends. */
  async open(): Promise<void> {
    await this.connection.open();
    this.catchUp.keepAnnouncing(this.connection);
  }

  close(): Promise<void> {
    this.catchUp.close();
    return this.connection.close();
  }

  take(key: string, limit: RateLimit, cost: number, owner?: string): RateDecision | Promise<RateDecision> {
    return this.connection.isUp ? this.takeShared(key, limit, cost, owner) : this.takeLocally(key, limit, cost, owner);
  }

  private async takeShared(key: string, limit: RateLimit, cost: number, owner?: string): Promise<RateDecision> {
    this.asking.acquire();
    try {
      const [reckoning, charge] = await this.ask(key, limit, cost);
      let charged = charge;
      return decisionOf(limit, reckoning, async () => {
        const given = charged;
        charged = undefined;
        if (given) await this.refund(key, given);
      });
    } catch (error) {
      this.connection.markDown(error);
      return this.takeLocally(key, limit, cost, owner);
    } finally {
      this.asking.release();
    }
  }

  /** @param isGranted whether the cost was granted already, and is to be charged even if it does not fit */
  private async ask(
    key: string,
    limit: RateLimit,
    cost: number,
    isGranted = false,
  ): Promise<[WindowResult, number[]?]> {
    const slotMs = slotMsOf(limit);
    const now = this.serverClock?.now() ?? '';
    const args = [limit.requests, slotMs, cost, now, Number(isGranted), ...this.fallback.lastWord(key)];
    const answer = (await this.connection.run(TAKE, this.prefix + key, args)) as TakeAnswer;
    const [granted, remaining, resetMs, retryAfterMs, position, begun] = answer;
    const reckoning = { granted: granted === 1, remaining, resetMs, retryAfterMs };
    this.fallback.note(key, limit, reckoning, begun);
    return reckoning.granted && cost > 0 ? [reckoning, [position, slotMs, cost]] : [reckoning];
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
    // A charge, since a server that cannot write (out of memory, a replica) is of no use either
    await connection.run(TAKE, `${this.prefix}probe`, [1_000_000, 10, 1, '']);
    await this.catchUp.announce(connection);
  }
}
