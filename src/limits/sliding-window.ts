import type { RateLimit } from '../principals/key-limits.js';
import { RING, SlotCounts, SLOTS } from './slot-counts.js';

/** The result of charging a window. */
export interface WindowResult {
  granted: boolean;
  /** The cost that would still be granted now. */
  remaining: number;
  /** Until all charges have expired; 0 if nothing counts. */
  resetMs: number;
  /** Until this cost fits; 0 if granted, the window's length if it never fits. */
  retryAfterMs: number;
}

/** A charge that can be refunded. */
export interface Charge {
  /** The position of its slot. */
  position: number;
  slotMs: number;
  cost: number;
}

/** An object with a boxed number. */
const OBJECT_BYTES = 24 + 3 * 8 + 16;

/** The length of a slot in whole milliseconds. */
export function slotMsOf(limit: RateLimit): number {
  return limit.windowSeconds * (1_000 / SLOTS);
}

/**
 * The recent charges of one key, counted in slots of a hundredth of the window. A cost is granted if it fits with the
 * counts of all slots that overlap the last window, of which the oldest counts in full. So the limit holds in every
 * window, wherever it begins, and a charge counts for at most a hundredth of the window too long. `redis-scripts.ts`
 * implements the same algorithm.
 *
 * - If the window's length changes, each slot's count is treated as charged at the slot's end; counts that expired under
 *   the previous length stay expired.
 * - If time runs backwards, counts are kept as if the newest were charged now: too strict rather than too lax, for at
 *   most one window.
 */
export class SlidingWindow {
  private readonly counts: SlotCounts;
  private slotMs: number;
  /** The number of the newest slot, by the clock. */
  private slot: number;

  constructor(limit: RateLimit, now: number) {
    this.slotMs = slotMsOf(limit);
    this.slot = Math.floor(now / this.slotMs);
    this.counts = new SlotCounts(this.slot);
  }

  /** The approximate memory use. */
  get bytes(): number {
    return OBJECT_BYTES + this.counts.bytes;
  }

  /**
   * Charges the cost if it fits; a cost of 0 always does.
   *
   * @param now in milliseconds, not negative
   * @param mayGrow whether more memory may be allocated; otherwise some charges may count for longer
   */
  take(limit: RateLimit, cost: number, now: number, mayGrow = true): WindowResult {
    const slotMs = slotMsOf(limit);
    if (slotMs === this.slotMs) this.moveTo(now);
    else this.resize(slotMs, now);
    const granted = cost === 0 || this.counts.sum + cost <= limit.requests;
    if (granted) this.counts.add(0, cost, mayGrow);
    return {
      granted,
      remaining: Math.max(0, limit.requests - this.counts.sum),
      resetMs: this.resetMs(now),
      retryAfterMs: granted ? 0 : this.retryAfterMs(limit, cost, now),
    };
  }

  /** Counts a cost granted elsewhere in the slot that expires at `until`, or in the newest one. */
  charge(cost: number, until: number): void {
    const age = Math.floor(this.slot + RING - until / this.slotMs);
    this.counts.add(Math.min(Math.max(age, 0), SLOTS), cost);
  }

  /** The charge of the `take()` just made. */
  chargeOf(cost: number): Charge {
    return { position: this.counts.position, slotMs: this.slotMs, cost };
  }

  /** Undoes a charge, unless the window's length has changed. If it changed and changed back, refunds what still counts. */
  refund({ position, slotMs, cost }: Charge): void {
    const age = this.counts.position - position;
    if (slotMs !== this.slotMs || age < 0 || age >= RING) return;
    this.counts.add(age, -Math.min(cost, this.counts.weightOf(age)));
  }

  /** Whether no charge counts anymore. */
  isExpired(now: number): boolean {
    return this.counts.sum === 0 || now >= this.endOf(0);
  }

  private moveTo(now: number): void {
    const slot = Math.floor(now / this.slotMs);
    const passed = Math.max(0, slot - this.slot);
    this.slot = slot;
    this.counts.advance(passed);
  }

  private resize(slotMs: number, now: number): void {
    const ages = Array.from({ length: RING }, (_, age) => age);
    const previous = ages.map((age) => ({ end: this.endOfSlot(age), weight: this.counts.weightOf(age) }));
    this.slotMs = slotMs;
    this.slot = Math.floor(now / slotMs);
    this.counts.clear(this.slot);
    for (const { end, weight } of previous) {
      const age = this.slot - Math.floor(Math.min(end, now) / slotMs);
      if (age < RING) this.counts.add(age, weight);
    }
  }

  private resetMs(now: number): number {
    const age = this.counts.newestAge();
    return age === RING ? 0 : this.endOf(age) - now;
  }

  private retryAfterMs({ requests, windowSeconds }: RateLimit, cost: number, now: number): number {
    if (cost > requests) return windowSeconds * 1_000;
    return this.endOf(this.counts.ageToLeave(requests - cost)) - now;
  }

  private endOfSlot(age: number): number {
    return (this.slot - age + 1) * this.slotMs;
  }

  /** When the slot's count expires. */
  private endOf(age: number): number {
    return this.endOfSlot(age) + SLOTS * this.slotMs;
  }
}
