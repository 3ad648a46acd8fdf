import { type Moment, elapsedMs, NEVER, plusMs } from '../clock.js';

/** The share of the bound within which the guard decides; the rest is for the way of its answer. */
const USABLE_SHARE = 0.9;

/** When a question was sent, and what its answer says of its age. In milliseconds. */
export interface AnswerTimes {
  readonly sent: Moment;
  readonly arrived: Moment;
  /** For how long the service held the question. */
  readonly heldMs: number;
  /** How long before the answer the service last began to read the changes. */
  readonly ageMs: number;
}

/**
 * The moment up to which all changes are known. Without synchronized clocks only a round trip bounds it: it counts from
 * when a question was sent, never from when its answer arrived, since anything between may have held the answer.
 */
export class Freshness {
  private knownUpTo = NEVER;
  /** When it will suffice no more. */
  private usableUntil = NEVER;
  private revocationBoundMs = 0;

  /** The service's `REVOCATION_BOUND_MS`; 0 before the first answer. */
  get boundMs(): number {
    return this.revocationBoundMs;
  }

  /** The age of what is known; `Infinity` if nothing is. */
  ageAt(now: Moment): number {
    return elapsedMs(this.knownUpTo, now);
  }

  /** Whether it suffices for decisions. */
  isFreshAt(now: Moment): boolean {
    return now.steady < this.usableUntil.steady && now.wall < this.usableUntil.wall;
  }

  /** For how many milliseconds from now it suffices for decisions; 0 or less if it does not. */
  leftMsAt(now: Moment): number {
    const { steady, wall } = this.usableUntil;
    return Math.min(steady - now.steady, wall - now.wall);
  }

  setBound(boundMs: number): void {
    this.revocationBoundMs = boundMs;
    this.set(this.knownUpTo);
  }

  /** Advances to the moment that an answer vouches for. It never goes back: behind a balancer, some processes lag. */
  advance(times: AnswerTimes): void {
    const moment = polledAt(times);
    if (moment.steady > this.knownUpTo.steady) this.set(moment);
  }

  reset(): void {
    this.set(NEVER);
  }

  private set(knownUpTo: Moment): void {
    this.knownUpTo = knownUpTo;
    this.usableUntil = plusMs(knownUpTo, USABLE_SHARE * this.revocationBoundMs);
  }
}

/**
 * The earliest moment at which the service can have begun to read the changes that it answered with. The service can't
 * have held the question for longer than the answer took: a clock that stood still meanwhile shows less.
 */
export function polledAt({ sent, arrived, heldMs, ageMs }: AnswerTimes): Moment {
  return {
    steady: Math.min(sent.steady + heldMs, arrived.steady) - ageMs,
    wall: Math.min(sent.wall + heldMs, arrived.wall) - ageMs,
  };
}
