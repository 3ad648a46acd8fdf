import { tooMany } from '../errors/api-error.js';

/**
 * Lets so many in at once. Whoever comes beyond is refused at once: to wait behind so many others would take longer
 * than anyone waits for an answer.
 */
export class ConcurrencyLimit {
  /** How many are in now. */
  active = 0;
  /** How many have been refused. */
  rejected = 0;

  /** @param max how many may be in at once */
  constructor(
    private readonly max: number,
    private readonly message: string,
  ) {}

  /**
   * Whoever is let in leaves in the end.
   *
   * @param weight for how many it counts. Bulk (more than 1) fills no more than half of the places, so that it gives
   *   way before what comes one by one
   * @throws UnavailableError if as many are in as may be
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
