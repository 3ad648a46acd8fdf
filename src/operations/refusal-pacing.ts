import { LRUCache } from 'lru-cache';

/** How many refusals of one network are answered at once in each second; further ones wait for the next. */
const AT_ONCE_PER_SECOND = 100;
/** No refusal is held back for longer: clients are told when to come back, and may go before. */
const MAX_DELAY_MS = 1_000;
/** As many networks as are remembered; each is forgotten when a second has passed. */
const MAX_NETWORKS = 10_000;

/**
 * Says how long the refusal of whoever is over a rate, or presents nothing valid, is to be held back. A client that asks
 * again as soon as it is refused would otherwise be refused thousands of times a second, each at the cost of everybody
 * else's time; held back, it asks as often as it has connections, once a second. Nobody but who is refused waits.
 */
export class RefusalPacing {
  private readonly refusals = new LRUCache<string, { since: number; count: number }>({ max: MAX_NETWORKS });

  /**
   * Counts a refusal.
   *
   * @param now milliseconds of a clock that does not jump
   * @returns in milliseconds; 0 for most
   */
  delay(network: string, now: number): number {
    const known = this.refusals.get(network);
    if (!known || now - known.since >= 1_000) {
      this.refusals.set(network, { since: now, count: 1 });
      return 0;
    }
    known.count++;
    if (known.count <= AT_ONCE_PER_SECOND) return 0;
    // Spread, so that those held back do not all come again at one moment
    return MAX_DELAY_MS * (0.75 + 0.25 * Math.random());
  }
}
