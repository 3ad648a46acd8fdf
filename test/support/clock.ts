import { Clock } from '../../src/clock.js';

/** A clock that stands still until a test sets it. */
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

/** A clock a day ahead of the host's, by which dates in requests are validated. */
export function clockAhead(): TestClock {
  return new TestClock(Date.now() + 86_400_000);
}
