import type { Environment } from '../../config/environment.js';

/** The share of the bound that is reserved for the time between a decision and its answer. */
const RESERVE = 0.1;

/** `fresh`, `serve stale`: use the cached key. `revalidate`: read it again first. `refuse`: answer 503. */
export type StaleDecision = 'fresh' | 'revalidate' | 'serve stale' | 'refuse';

/** The epochs of the cache; see `KeyCache`. */
export interface Epochs {
  readonly epoch: number;
  readonly serverEpoch: number;
}

/** For how long, in milliseconds, a poll of the invalidation feed keeps cached keys fresh. */
export function freshForMs(revocationBoundMs: number): number {
  return revocationBoundMs * (1 - RESERVE);
}

/**
 * Decides whether a cached key may be used. Pure: the ages come from the caller, in milliseconds. Takes bare values,
 * because the decision is part of every cache hit.
 */
export class StalePolicy {
  private readonly freshForMs: number;
  private readonly staleForMs: number;

  constructor({
    revocationBoundMs,
    staleIfErrorSeconds,
  }: Pick<Environment, 'revocationBoundMs' | 'staleIfErrorSeconds'>) {
    this.freshForMs = freshForMs(revocationBoundMs);
    // 0 fails closed at once, even within the bound
    this.staleForMs = staleIfErrorSeconds > 0 ? revocationBoundMs + staleIfErrorSeconds * 1_000 : -1;
  }

  /**
   * @param feedAgeMs the age of the last successful poll of the feed
   * @param keyEpoch the epoch in which the key was last read
   * @param isDue whether the key has reached its lifetime in the cache
   * @param isDatabaseRefused whether the network or the server refused a connection just now; a timeout does not count
   */
  decide(
    feedAgeMs: number,
    keyEpoch: number,
    epochs: Epochs,
    isDue: boolean,
    isDatabaseRefused: boolean,
  ): StaleDecision {
    if (this.isFresh(feedAgeMs, keyEpoch, epochs, isDue)) return 'fresh';
    return isDatabaseRefused ? this.decideWithoutDatabase(feedAgeMs, keyEpoch, epochs) : 'revalidate';
  }

  /** Whether every change that is older than the bound is known, and none was missed since the key was read. */
  isFresh(feedAgeMs: number, keyEpoch: number, { epoch }: Epochs, isDue: boolean): boolean {
    return feedAgeMs < this.freshForMs && keyEpoch === epoch && !isDue;
  }

  /**
   * For a key that cannot be revalidated. Keys from another server are never served: after a failover to a standby that
   * lagged, or on a restored backup, what was read earlier may never have happened.
   */
  decideWithoutDatabase(feedAgeMs: number, keyEpoch: number, { serverEpoch }: Epochs): 'serve stale' | 'refuse' {
    return keyEpoch >= serverEpoch && feedAgeMs <= this.staleForMs ? 'serve stale' : 'refuse';
  }
}
