import { Clock } from '../../src/config/clock.js';

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
