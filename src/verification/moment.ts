/** A moment by two clocks: the steady one stands still while the machine is suspended, the wall clock may be set. */
export interface Moment {
  steady: number;
  wall: number;
}

/** Earlier than everything. */
export const NEVER: Moment = { steady: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };

export function momentNow(): Moment {
  return { steady: performance.now(), wall: Date.now() };
}

/** The milliseconds since a moment: the greater of the two clocks' answers. */
export function millisecondsSince({ steady, wall }: Moment): number {
  return Math.max(performance.now() - steady, Date.now() - wall);
}
