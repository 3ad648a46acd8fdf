import type { Clock, Moment } from '../src/clock.js';

/** A moment that both clocks show alike. */
export function at(milliseconds: number): Moment {
  return { steady: milliseconds, wall: 1_000_000 + milliseconds };
}

/** A clock that tests set. */
export class TestClock implements Clock {
  time = at(0);

  now(): Moment {
    return this.time;
  }
}
