import type { Clock } from '../clock.js';
import type { RateLimit } from '../principals/key-limits.js';
import { toDecision, type RateDecision, RateLimiter } from './rate-limiter.js';
import { RateWindows } from './rate-windows.js';
import { SlidingWindow } from './sliding-window.js';

const MEBIBYTE = 1_048_576;

/** The memory for windows in bytes: for those of keys, and for those of each other purpose. */
const BOUNDS = { key: 160 * MEBIBYTE, other: 16 * MEBIBYTE };
export type WindowBounds = Readonly<typeof BOUNDS>;

/**
 * Counts in this process's memory, which suffices for a single process. Each purpose, the prefix of a key (`key:`,
 * `management:`), has its own space, so exhausting one does not affect the others.
 *
 * Uses the steady clock, so changes to the host's clock have no effect.
 */
export class InProcessRateLimiter extends RateLimiter {
  private readonly spaces = new Map<string, RateWindows>();
  private readonly keySpace: RateWindows;

  constructor(
    private readonly clock: Clock,
    private readonly bounds: WindowBounds = BOUNDS,
  ) {
    super();
    this.keySpace = new RateWindows(bounds.key);
    this.spaces.set('key', this.keySpace);
  }

  /** @throws UnavailableError if a window would have to be opened and memory is exhausted */
  take(key: string, limit: RateLimit, cost: number, owner?: string): RateDecision {
    const now = this.clock.steady();
    const space = this.spaceOf(key);
    const known = space.get(key);
    const window = known?.window ?? new SlidingWindow(limit, now);
    const result = known ? space.take(known, limit, cost, now) : window.take(limit, cost, now);
    if (!result.granted || cost === 0) return toDecision(limit, result, noRefund);
    if (!known) space.open(key, window, now, owner);
    let charge: ReturnType<SlidingWindow['chargeOf']> | undefined = window.chargeOf(cost);
    return toDecision(limit, result, () => {
      if (charge) window.refund(charge);
      charge = undefined;
    });
  }

  has(key: string): boolean {
    return this.spaceOf(key).get(key) !== undefined;
  }

  /**
   * Opens a window that counts a cost granted elsewhere.
   *
   * @param until when the cost expires, by the steady clock
   * @throws UnavailableError if memory is exhausted
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

  /** The number of open windows. */
  get size(): number {
    return [...this.spaces.values()].reduce((sum, { size }) => sum + size, 0);
  }

  get bytes(): number {
    return [...this.spaces.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  private spaceOf(key: string): RateWindows {
    if (key.startsWith('key:')) return this.keySpace;
    const purpose = key.slice(0, Math.max(0, key.indexOf(':')));
    let space = this.spaces.get(purpose);
    if (!space) this.spaces.set(purpose, (space = new RateWindows(this.bounds.other)));
    return space;
  }
}

function noRefund(): void {
  // Nothing was charged
}
