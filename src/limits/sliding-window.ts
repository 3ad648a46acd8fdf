/** At most `requests` (1 to 1,000,000) in any window of `windowSeconds` (1 to 86,400 * 31). */
export interface RateLimit {
  requests: number;
  windowSeconds: number;
}

/** What a window says to a cost. */
export interface Reckoning {
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

/** Into how many slots a window is divided. */
const SLOTS = 100;

/** A window that begins within a slot overlaps one more. */
const RING = SLOTS + 1;

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
  private weights = new Uint32Array(RING);
  private sum = 0;
  private slotMs: number;
  /** The newest slot, by the clock. */
  private slot: number;
  /** Where the newest slot's count stands, modulo the ring's size; unlike `slot` it never runs backwards. */
  private position: number;

  constructor(limit: RateLimit, now: number) {
    this.slotMs = slotMsOf(limit);
    this.slot = Math.floor(now / this.slotMs);
    this.position = this.slot;
  }

  /** Charges the cost if it fits; a cost of 0 always does. Times are from 1970 on. */
  take(limit: RateLimit, cost: number, now: number): Reckoning {
    const slotMs = slotMsOf(limit);
    if (slotMs === this.slotMs) this.moveTo(now);
    else this.resize(slotMs, now);
    const granted = cost === 0 || this.sum + cost <= limit.requests;
    if (granted) this.add(0, cost);
    return {
      granted,
      remaining: Math.max(0, limit.requests - this.sum),
      resetMs: this.resetMs(now),
      retryAfterMs: granted ? 0 : this.retryAfterMs(limit, cost, now),
    };
  }

  /** What a `take()` just now has charged. */
  chargeOf(cost: number): Charge {
    return { position: this.position, slotMs: this.slotMs, cost };
  }

  /** Undoes a charge, unless the window's length has changed since; of one that changed and changed back, what is left. */
  giveBack({ position, slotMs, cost }: Charge): void {
    const age = this.position - position;
    if (slotMs === this.slotMs && age >= 0 && age < RING) this.add(age, -Math.min(cost, this.weightOf(age)));
  }

  /** Whether nothing counts any more. */
  isOver(now: number): boolean {
    return this.sum === 0 || now >= this.endOf(0);
  }

  private moveTo(now: number): void {
    const slot = Math.floor(now / this.slotMs);
    const passed = Math.max(0, slot - this.slot);
    this.slot = slot;
    for (let i = 1; i <= Math.min(passed, RING) && this.sum > 0; i++) {
      const place = (this.position + i) % RING;
      this.sum -= this.weights[place] ?? 0;
      this.weights[place] = 0;
    }
    this.position += passed;
  }

  private resize(slotMs: number, now: number): void {
    const former = Array.from({ length: RING }, (_, age) => ({ end: this.endOfSlot(age), weight: this.weightOf(age) }));
    this.weights.fill(0);
    this.sum = 0;
    this.slotMs = slotMs;
    this.slot = Math.floor(now / slotMs);
    this.position = this.slot;
    for (const { end, weight } of former) {
      const age = this.slot - Math.floor(Math.min(end, now) / slotMs);
      if (age < RING) this.add(age, weight);
    }
  }

  private resetMs(now: number): number {
    let age = 0;
    while (age < RING && this.weightOf(age) === 0) age++;
    return age === RING ? 0 : this.endOf(age) - now;
  }

  private retryAfterMs({ requests, windowSeconds }: RateLimit, cost: number, now: number): number {
    return cost > requests ? windowSeconds * 1_000 : this.untilSumIs(requests - cost, now);
  }

  /** How long until no more than this counts, which is less than what counts now. */
  private untilSumIs(bearable: number, now: number): number {
    let left = this.sum;
    let age = RING;
    while (left > bearable && age > 0) left -= this.weightOf(--age);
    return this.endOf(age) - now;
  }

  private weightOf(age: number): number {
    return this.weights[(this.position - age) % RING] ?? 0;
  }

  private add(age: number, weight: number): void {
    const place = (this.position - age) % RING;
    this.weights[place] = (this.weights[place] ?? 0) + weight;
    this.sum += weight;
  }

  private endOfSlot(age: number): number {
    return (this.slot - age + 1) * this.slotMs;
  }

  /** When what the slot holds counts no more. */
  private endOf(age: number): number {
    return this.endOfSlot(age) + SLOTS * this.slotMs;
  }
}
