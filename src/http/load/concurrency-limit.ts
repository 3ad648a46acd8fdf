import { tooMany } from '../errors/api-error.js';

/** Caps concurrency. Callers over the cap are rejected at once: queued, they would time out anyway. */
export class ConcurrencyLimit {
  /** The number of slots in use. */
  active = 0;
  /** The number of callers rejected so far. */
  rejected = 0;

  /**
   * @param max the number of slots
   * @param message why a caller is rejected: a sentence
   */
  constructor(
    private readonly max: number,
    private readonly message: string,
  ) {}

  /**
   * Takes slots, to be given back by `release()`.
   *
   * @param weight the number of slots. Bulk requests (more than 1) fill at most half of all slots, so that they are shed
   *   before single ones
   * @throws UnavailableError if too few slots are free
   */
  acquire(weight = 1): void {
    const free = weight > 1 ? this.max / 2 - this.active : this.max - this.active;
    if (weight > free) {
      this.rejected++;
      throw tooMany(this.message);
    }
    this.active += weight;
  }

  release(weight = 1): void {
    this.active -= weight;
  }
}
