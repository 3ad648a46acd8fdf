import { tooMany } from '../errors/api-error.js';

/**
 * Lets so many in at once. Whoever comes beyond is refused at once: to wait behind so many others would take longer
 * than anyone waits for an answer.
 */
export class Admission {
  /** How many are in now. */
  underWay = 0;
  /** How many have been refused. */
  refused = 0;

  /** @param most how many may be in at once */
  constructor(
    private readonly most: number,
    private readonly message: string,
  ) {}

  /**
   * Whoever is let in leaves in the end.
   *
   * @param weight for how many it counts. Bulk (more than 1) fills no more than half of the places, so that it gives
   *   way before what comes one by one
   * @throws UnavailableError if as many are in as may be
   */
  enter(weight = 1): void {
    const free = weight > 1 ? this.most / 2 - this.underWay : this.most - this.underWay;
    if (weight > free) {
      this.refused++;
      throw tooMany(this.message);
    }
    this.underWay += weight;
  }

  leave(weight = 1): void {
    this.underWay -= weight;
  }
}
