import type { RateLimit } from '../principals/key-limits.js';
import { RING, SlotCounts, SLOTS } from './slot-counts.js';

/** What a window says to a cost. */
export interface WindowResult {
  granted: boolean;
  /** How much more would be granted now. */
  remaining: number;
  /** Until all that was granted has left the window; 0 if nothing counts. */
  resetMs: number;
  /** Until this very cost would fit; 0 when granted, the window's length when it never will. */
  retryAfterMs: number;
}

/** What was granted, so that it can be given back. */
export interface Charge {
  /** Where it was counted. */
  position: number;
  slotMs: number;
  cost: number;
}

/** An object with a boxed number. */
const OBJECT_BYTES = 24 + 3 * 8 + 16;

/** The length of a slot in milliseconds, always whole. */
export function slotMsOf(limit: RateLimit): number {
  return limit.windowSeconds * (1_000 / SLOTS);
}

/**
 * What one key was granted lately: a count for each slot of a hundredth of the window. A cost is granted if it
 * fits beside all that the slots hold which overlap the last window, the oldest counted whole. So there is
 * never more than the limit in any window, wherever it begins, and what was granted counts for at most a
 * hundredth of the window too long. `redis-scripts.ts` reckons the same way.
 *
 * - If the window's length changes, what each slot holds counts as granted at the slot's end; what was
 *   forgotten under the former length stays so.
 * - If time runs backwards, what counts stays, as if the last of it were granted now: too strict rather than
 *   too lax, and for one window at the most.
 */
export class SlidingWindow {
  private readonly counts: SlotCounts;
  private slotMs: number;
  /** The newest slot, by the clock. */
  private slot: number;

  constructor(limit: RateLimit, now: number) {
    this.slotMs = slotMsOf(limit);
    this.slot = Math.floor(now / this.slotMs);
    this.counts = new SlotCounts(this.slot);
  }

  /** What it takes of memory, about. */
  get bytes(): number {
    return OBJECT_BYTES + this.counts.bytes;
  }

  /**
   * Charges the cost if it fits; a cost of 0 always does. Times are from 1970 on.
   *
   * @param mayGrow whether it may take more memory; if not, some of what was granted may count for longer
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

  /** Charges what was granted elsewhere, as if in the slot that counts until then, or the newest one. */
  charge(cost: number, until: number): void {
    const age = Math.floor(this.slot + RING - until / this.slotMs);
    this.counts.add(Math.min(Math.max(age, 0), SLOTS), cost);
  }

  /** What a `take()` just now has charged. */
  chargeOf(cost: number): Charge {
    return { position: this.counts.position, slotMs: this.slotMs, cost };
  }

  /** Undoes a charge, unless the window's length has changed since; of one that changed and changed back, what is left. */
  refund({ position, slotMs, cost }: Charge): void {
    const age = this.counts.position - position;
    if (slotMs !== this.slotMs || age < 0 || age >= RING) return;
    this.counts.add(age, -Math.min(cost, this.counts.weightOf(age)));
  }

  /** Whether nothing counts any more. */
  isOver(now: number): boolean {
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
    const former = ages.map((age) => ({ end: this.endOfSlot(age), weight: this.counts.weightOf(age) }));
    this.slotMs = slotMs;
    this.slot = Math.floor(now / slotMs);
    this.counts.clear(this.slot);
    for (const { end, weight } of former) {
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

  /** When what the slot holds counts no more. */
  private endOf(age: number): number {
    return this.endOfSlot(age) + SLOTS * this.slotMs;
  }
}
