import { type Moment, isPast, plusMs } from '../clock.js';
import { PairEntry } from './pair-cache.js';

const LIFETIME_MS = 60_000;

/** A pair that the service has refused with `INVALID_CREDENTIALS`. */
export class RefusedPair extends PairEntry {
  private readonly end: Moment;

  /** @param sent when the service was asked */
  constructor(digest: string, keyHash: string, sent: Moment) {
    super(digest, keyHash, undefined);
    this.end = plusMs(sent, LIFETIME_MS);
  }

  isOverAt(now: Moment): boolean {
    return isPast(this.end, now);
  }
}
