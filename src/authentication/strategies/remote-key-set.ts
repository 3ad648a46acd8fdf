import { createRemoteJWKSet, errors, type JWSHeaderParameters } from 'jose';
import type { Clock } from '../../config/clock.js';
import { Admission } from '../../contract/admission.js';
import { UnavailableError } from '../../contract/api-error.js';

type Key = Awaited<ReturnType<ReturnType<typeof createRemoteJWKSet>>>;

const FETCH_WITHIN_MS = 3_000;
/** How many may wait for a fetch; further ones are refused, so that unknown tokens cannot hold whatever waits. */
const MOST_WAITING = 500;
/** So long after a fetch that failed there is no other: each may take seconds. */
const RETRY_AFTER_MS = 1_000;
/** For so long a failed fetch tells that the set cannot be had; later, it has to be tried before it is believed. */
const FAILURE_STANDS_MS = 10_000;
/** A key that the set lacks may be new; but whoever makes names up must not have us fetch over and over. */
const UNKNOWN_KEY_AFTER_MS = 10_000;
/** While it cannot be fetched, the last good set is used for this much longer than its age allows. */
const STALE_IF_ERROR_MS = 600_000;

/**
 * A JSON Web Key Set (RFC 7517) behind a URL, fetched by one request at a time. Beyond its age it is fetched again
 * before it is used, so that a key that was taken out of it is trusted no longer; in the second half of that time it is
 * so in the background, and nobody waits.
 */
export class RemoteKeySet {
  private readonly keySet: ReturnType<typeof createRemoteJWKSet>;
  private readonly maxAgeMs: number;
  private readonly waiting = new Admission(MOST_WAITING, 'Too many sessions wait for the keys that verify them.');
  private fetching: Promise<void> | undefined;
  /** When the fetch began that brought the set. */
  private fetchedAt = Number.NEGATIVE_INFINITY;
  private failedAt = Number.NEGATIVE_INFINITY;

  constructor(
    url: string,
    maxAgeSeconds: number,
    private readonly clock: Clock,
  ) {
    this.maxAgeMs = maxAgeSeconds * 1_000;
    // When it is fetched is decided here alone
    const never = { cacheMaxAge: Number.POSITIVE_INFINITY, cooldownDuration: Number.POSITIVE_INFINITY };
    this.keySet = createRemoteJWKSet(new URL(url), { timeoutDuration: FETCH_WITHIN_MS, ...never });
  }

  /**
   * The key that a token's header names.
   *
   * @throws UnavailableError if the set cannot be had now; what `jose` throws where the set has no such key, or several
   */
  async find(header: JWSHeaderParameters): Promise<Key> {
    if (!this.isUsable()) await this.waitForFetch();
    try {
      return await this.keySet(header);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || this.isCertain()) throw error;
    }
    await this.waitForFetch();
    if (this.hasJustFailed()) throw keysAway();
    return this.keySet(header);
  }

  /** Whether the set lacks what it lacks: that was seen a moment ago. @throws UnavailableError if it was tried in vain */
  private isCertain(): boolean {
    if (this.hasJustFailed()) throw keysAway();
    return this.since(this.fetchedAt) < UNKNOWN_KEY_AFTER_MS;
  }

  private hasJustFailed(): boolean {
    return this.since(this.failedAt) < FAILURE_STANDS_MS;
  }

  /** Whether the set may be used as it is. @throws UnavailableError if there is none, and none can be had just now */
  private isUsable(): boolean {
    const age = this.since(this.fetchedAt);
    if (age > this.maxAgeMs / 2 && this.since(this.failedAt) >= RETRY_AFTER_MS) this.fetchInBackground();
    if (age <= this.maxAgeMs) return true;
    if (this.isBelievedStale(age)) return true;
    if (this.since(this.failedAt) < RETRY_AFTER_MS) throw keysAway();
    return false;
  }

  private isBelievedStale(age: number): boolean {
    return age <= this.maxAgeMs + STALE_IF_ERROR_MS && this.hasJustFailed();
  }

  private fetchInBackground(): void {
    // What comes of it, the next one finds
    this.fetch().catch(() => undefined);
  }

  private async waitForFetch(): Promise<void> {
    this.waiting.enter();
    try {
      await this.fetch();
    } catch (error) {
      if (!this.isBelievedStale(this.since(this.fetchedAt))) throw keysAway(error);
    } finally {
      this.waiting.leave();
    }
  }

  private fetch(): Promise<void> {
    this.fetching ??= this.reload().finally(() => (this.fetching = undefined));
    return this.fetching;
  }

  private async reload(): Promise<void> {
    const began = this.clock.steady();
    try {
      await this.keySet.reload();
      this.fetchedAt = began;
      this.failedAt = Number.NEGATIVE_INFINITY;
    } catch (error) {
      this.failedAt = this.clock.steady();
      throw error;
    }
  }

  private since(time: number): number {
    return this.clock.steady() - time;
  }
}

function keysAway(cause?: unknown): UnavailableError {
  const message = 'The keys that sessions are verified with cannot be fetched. Try again in a moment.';
  return new UnavailableError(message, { cause });
}
