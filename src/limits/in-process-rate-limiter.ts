import { LRUCache } from 'lru-cache';
import type { Clock } from '../config/clock.js';
import { decisionOf, type RateDecision, RateLimiter } from './rate-limiter.js';
import { type RateLimit, SlidingWindow } from './sliding-window.js';

/** How many windows are looked at, when one is added, to see whether they are over. */
const SWEPT_AT_ONCE = 2;

/**
 * Counts in the memory of this process, which suffices where there is one process.
 *
 * Windows that are over are dropped as new ones come. Beyond `mostKeys` the key that was asked for least
 * recently is forgotten, and starts anew: give at least as many as keys are in use within a window
 * (`VERIFICATION_CACHE_KEYS`). A key takes about a kilobyte.
 *
 * It goes by the steady clock, so that setting the host's clock changes nothing here.
 */
export class InProcessRateLimiter extends RateLimiter {
  private readonly windows: LRUCache<string, SlidingWindow>;

  constructor(
    mostKeys: number,
    private readonly clock: Clock,
  ) {
    super();
    this.windows = new LRUCache({ max: mostKeys });
  }

  take(key: string, limit: RateLimit, cost: number): RateDecision {
    const now = this.clock.steady();
    const known = this.windows.get(key);
    const window = known ?? new SlidingWindow(limit, now);
    const reckoning = window.take(limit, cost, now);
    if (!reckoning.granted || cost === 0) return decisionOf(limit, reckoning, nothing);
    if (!known) this.add(key, window, now);
    let charge: ReturnType<SlidingWindow['chargeOf']> | undefined = window.chargeOf(cost);
    return decisionOf(limit, reckoning, () => {
      if (charge) window.giveBack(charge);
      charge = undefined;
    });
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.windows.size;
  }

  private add(key: string, window: SlidingWindow, now: number): void {
    for (let i = 0; i < SWEPT_AT_ONCE; i++) {
      const [oldest] = this.windows.rkeys();
      if (oldest === undefined || !this.windows.peek(oldest)?.isOver(now)) break;
      this.windows.delete(oldest);
    }
    this.windows.set(key, window);
  }
}

function nothing(): void {
  // There is no charge to give back
}
