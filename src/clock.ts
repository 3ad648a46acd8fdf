/** The present time; injected, so that tests control it. Milliseconds since 1970, with or without a fraction. */
export abstract class Clock {
  /** The time of day, as the host has it; it may be set, forwards and backwards. */
  abstract now(): number;

  /** The time of day when the process started, and what has passed since: it never runs backwards, nor jumps. */
  abstract steady(): number;
}

export class SystemClock extends Clock {
  now(): number {
    return Date.now();
  }

  steady(): number {
    return performance.timeOrigin + performance.now();
  }
}
