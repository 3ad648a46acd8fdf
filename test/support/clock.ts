import { Clock } from '../../src/clock.js';

/** A clock that stands still until it is set. */
export class TestClock extends Clock {
  /** @param time milliseconds since 1970 */
  constructor(public time = 1_800_000_000_123) {
    super();
  }

  now(): number {
    return this.time;
  }

  steady(): number {
    return this.time;
  }
}

/** A day ahead of the host's clock, by which it is judged whether a limit that is given lies in the past. */
export function clockAhead(): TestClock {
  return new TestClock(Date.now() + 86_400_000);
}
