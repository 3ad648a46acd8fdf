import { LRUCache } from 'lru-cache';

/** The pace of the refusals of one network, after a burst without delay. */
const INTERVAL_MS = 10;
const BURST = 20;
/** The longest delay. Clients learn from the response when to retry, and may disconnect earlier. */
const MAX_DELAY_MS = 1_000;
/** Some 100 bytes each. */
const MAX_NETWORKS = 10_000;

/**
 * Delays repeated refusals: of callers that are over a rate, or present no valid credentials. A client that retries as
 * soon as it is refused would otherwise be refused thousands of times a second, at the expense of all others. Delayed, it
 * retries about once a second on each of its connections, spread by a random jitter. Granted requests are never delayed.
 */
export class RefusalPacing {
  /** By network: the time up to which the pace is used. */
  private readonly next = new LRUCache<string, number>({ max: MAX_NETWORKS });

  /**
   * Counts a refusal: a leaky bucket, by the generic cell rate algorithm.
   *
   * @param now in milliseconds, of a monotonic clock
   * @param weight the number of refusals that it counts as
   * @returns the delay in milliseconds; mostly 0
   */
  delay(network: string, now: number, weight = 1): number {
    const next = Math.max(this.next.get(network) ?? now, now) + INTERVAL_MS * weight;
    const delay = next - now - BURST * INTERVAL_MS;
    if (delay < MAX_DELAY_MS) this.next.set(network, next);
    if (delay <= 0) return 0;
    return delay < MAX_DELAY_MS ? delay : MAX_DELAY_MS * (0.5 + 0.5 * Math.random());
  }
}
