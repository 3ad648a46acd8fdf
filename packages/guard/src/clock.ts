/**
 * A moment in milliseconds by two clocks: the steady one stands still while the machine is suspended, the wall clock may
 * be set. The time that has passed is the greater of both counts.
 */
export interface Moment {
  readonly steady: number;
  /** Since 1970. */
  readonly wall: number;
}

/** The present time; injected, so that tests control it. */
export interface Clock {
  now(): Moment;
}

export const systemClock: Clock = {
  now: () => ({ steady: performance.now(), wall: Date.now() }),
};

/** Earlier than everything. */
export const NEVER: Moment = { steady: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };

/** The milliseconds from one moment to a later one. */
export function elapsedMs(from: Moment, to: Moment): number {
  return Math.max(to.steady - from.steady, to.wall - from.wall);
}

export function plusMs({ steady, wall }: Moment, milliseconds: number): Moment {
  return { steady: steady + milliseconds, wall: wall + milliseconds };
}

/** Whether a moment is past by either clock. */
export function isPast({ steady, wall }: Moment, now: Moment): boolean {
  return now.steady >= steady || now.wall >= wall;
}
