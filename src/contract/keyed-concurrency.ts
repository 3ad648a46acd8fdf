import pLimit, { type LimitFunction } from 'p-limit';
import { UnavailableError } from './api-error.js';

interface Limits {
  /** How much work runs at once for one key. */
  running: number;
  /** How many callers may wait for their turn under one key; further ones are rejected. */
  queued: number;
}

/**
 * Bounds concurrent work per key (an owner, an address), so that one of them cannot take every place of a shared
 * resource. Callers of one key are served in their order; keys do not wait for each other.
 */
export class KeyedConcurrency {
  private readonly limiters = new Map<string, LimitFunction>();

  constructor(
    private readonly limits: Limits,
    private readonly message: string,
  ) {}

  /** @throws UnavailableError if too many wait under this key already; whatever the work throws */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const limiter = this.limiters.get(key) ?? pLimit(this.limits.running);
    if (limiter.pendingCount >= this.limits.queued) {
      throw new UnavailableError(`${this.message} Try again in a moment.`, { retryAfterSeconds: 1 });
    }
    this.limiters.set(key, limiter);
    try {
      return await limiter(work);
    } finally {
      if (limiter.activeCount + limiter.pendingCount === 0) this.limiters.delete(key);
    }
  }

  /** How many keys have work running or waiting. */
  get size(): number {
    return this.limiters.size;
  }
}
