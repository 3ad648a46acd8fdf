import type { Clock } from '../clock.js';
import type { RateLimit } from '../principals/key-limits.js';
import { decisionOf, type RateDecision, RateLimiter } from './rate-limiter.js';
import { RateWindows } from './rate-windows.js';
import { SlidingWindow } from './sliding-window.js';

const MEBIBYTE = 1_048_576;

/** What windows may take, in bytes: those of keys, and those of each other purpose. */
const BOUNDS = { key: 160 * MEBIBYTE, other: 16 * MEBIBYTE };
export type WindowBounds = Readonly<typeof BOUNDS>;

/**
 * Counts in the memory of this process, which suffices where there is one process. Each purpose, which a key begins
 * with (`key:`, `management:`), has a space of its own: what fills one of them leaves the others alone.
 *
 * It goes by the steady clock, so that setting the host's clock changes nothing here.
 */
export class InProcessRateLimiter extends RateLimiter {
  private readonly spaces = new Map<string, RateWindows>();
  private readonly ofKeys: RateWindows;

  constructor(
    private readonly clock: Clock,
    private readonly bounds: WindowBounds = BOUNDS,
  ) {
    super();
    this.ofKeys = new RateWindows(bounds.key);
    this.spaces.set('key', this.ofKeys);
  }

  /** @throws UnavailableError where a window would have to be opened and there is no room */
  take(key: string, limit: RateLimit, cost: number, owner?: string): RateDecision {
    const now = this.clock.steady();
    const space = this.spaceOf(key);
    const known = space.get(key);
    const window = known?.window ?? new SlidingWindow(limit, now);
    const reckoning = known ? space.take(known, limit, cost, now) : window.take(limit, cost, now);
    if (!reckoning.granted || cost === 0) return decisionOf(limit, reckoning, nothing);
    if (!known) space.open(key, window, now, owner);
    let charge: ReturnType<SlidingWindow['chargeOf']> | undefined = window.chargeOf(cost);
    return decisionOf(limit, reckoning, () => {
      if (charge) window.refund(charge);
      charge = undefined;
    });
  }

  has(key: string): boolean {
    return this.spaceOf(key).get(key) !== undefined;
  }

  /**
   * Opens a window in which that counts, until then by the steady clock, which was granted elsewhere.
   *
   * @throws UnavailableError where there is no room
   */
  charge(key: string, limit: RateLimit, cost: number, until: number, owner?: string): void {
    const now = this.clock.steady();
    const window = new SlidingWindow(limit, now);
    window.charge(cost, until);
    this.spaceOf(key).open(key, window, now, owner);
  }

  clear(): void {
    for (const space of this.spaces.values()) space.clear();
  }

  /** How many windows are counted in, and what they take of memory in bytes. */
  get size(): number {
    return [...this.spaces.values()].reduce((sum, { size }) => sum + size, 0);
  }

  get bytes(): number {
    return [...this.spaces.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  private spaceOf(key: string): RateWindows {
    if (key.startsWith('key:')) return this.ofKeys;
    const purpose = key.slice(0, Math.max(0, key.indexOf(':')));
    let space = this.spaces.get(purpose);
    if (!space) this.spaces.set(purpose, (space = new RateWindows(this.bounds.other)));
    return space;
  }
}

function nothing(): void {
  // There is no charge to give back
}
