import { LRUCache } from 'lru-cache';

/** The refusals of one network are told this far apart, some of them at once. */
const INTERVAL_MS = 10;
const AT_ONCE = 20;
/** No refusal is held back for longer: clients are told when to come back, and may go before. */
const MAX_DELAY_MS = 1_000;
/** As many networks as are remembered, some 100 bytes each. */
const MAX_NETWORKS = 10_000;

/**
 * Says how long the refusal of whoever is over a rate, or presents nothing valid, is to be held back. A client that asks
 * again as soon as it is refused would otherwise be refused thousands of times a second, each at the cost of everybody
 * else's time; held back, it asks as often as it has connections, once a second, and not all of them at one moment.
 * Nobody but who is refused waits.
 */
export class RefusalPacing {
  /** By network: when the next refusal would be told, at the pace of all. */
  private readonly next = new LRUCache<string, number>({ max: MAX_NETWORKS });

  /**
   * Counts a refusal (a leaky bucket, as the generic cell rate algorithm keeps it).
   *
   * @param now milliseconds of a clock that does not jump
   * @param weight how many refusals it counts as
   * @returns in milliseconds; 0 for most
   */
  delay(network: string, now: number, weight = 1): number {
    const next = Math.max(this.next.get(network) ?? now, now) + INTERVAL_MS * weight;
    const delay = next - now - AT_ONCE * INTERVAL_MS;
    if (delay < MAX_DELAY_MS) this.next.set(network, next);
    if (delay <= 0) return 0;
    return delay < MAX_DELAY_MS ? delay : MAX_DELAY_MS * (0.5 + 0.5 * Math.random());
  }
}
