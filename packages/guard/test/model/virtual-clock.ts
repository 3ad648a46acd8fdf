import type { Clock, Moment } from '../../src/clock.js';

/** The clocks of the guard's machine, beside the true time. Milliseconds. */
export class VirtualClock implements Clock {
  /** The true time. */
  true = 0;
  private suspendedMs = 0;
  private setByMs = 0;

  now(): Moment {
    return { steady: this.true - this.suspendedMs, wall: 1_000_000 + this.true + this.setByMs };
  }

  /** The machine is suspended: its steady clock stands still. */
  suspend(milliseconds: number): void {
    this.true += milliseconds;
    this.suspendedMs += milliseconds;
  }

  /** Somebody sets the wall clock. */
  set(milliseconds: number): void {
    this.setByMs += milliseconds;
  }
}
