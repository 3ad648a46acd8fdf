import type { Clock } from '../../clock.js';
import { ConcurrencyLimit } from '../../http/load/concurrency-limit.js';
import { UnavailableError } from '../../http/errors/api-error.js';
import type { KeySet } from './key-set.js';
import { KeySetEndpoint, KeySetError } from './key-set-endpoint.js';
import { KeySetLog } from './key-set-log.js';

/** How many may wait for a fetch; further ones are refused, so that unknown tokens cannot hold whatever waits. */
const MAX_WAITING = 500;
/** So long after a fetch that failed there is no other: each may take seconds. */
const RETRY_AFTER_MS = 1_000;
/** For so long a failed fetch tells that the set cannot be had; later, it has to be tried before it is believed. */
const FAILURE_TTL_MS = 10_000;
/**
 * What no key of the set has signed may be of a new one; but whoever makes tokens up must not have us fetch over and
 * over.
 */
const REFETCH_COOLDOWN_MS = 5_000;
/** While it cannot be fetched, the last good set is used for this much longer than its age allows. */
const STALE_IF_ERROR_MS = 3_600_000;

/** What is wrong with a key set; sessions are verified all the same where there is one to go by. */
export interface KeySetProblem {
  message: string;
  /** Whether none was ever had. */
  isMissing: boolean;
}

/**
 * A JSON Web Key Set (RFC 7517) behind a URL, fetched by one request at a time. Beyond its age it is fetched again
 * before it is used, so that a key that was taken out of it is trusted no longer; in the second half of that time it is
 * so in the background, and nobody waits.
 */
export class RemoteKeySet {
  private readonly endpoint: KeySetEndpoint;
  private readonly log: KeySetLog;
  private readonly maxAgeMs: number;
  private readonly waiting = new ConcurrencyLimit(MAX_WAITING, 'Too many sessions wait for the keys that verify them.');
  /** Apart, so that made-up tokens take no room from those that wait for a set which has its age. */
  private readonly suspects = new ConcurrencyLimit(
    MAX_WAITING,
    'Too many sessions wait for the keys that verify them.',
  );
  private set: KeySet | undefined;
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
    this.endpoint = new KeySetEndpoint(url);
    this.log = new KeySetLog(this.endpoint.name, clock);
  }

  /**
   * Looks for something in the set and, where it is not there and the set was not fetched a moment ago, in one that is
   * fetched for it.
   *
   * @returns what `look` has found; `undefined` if nothing
   * @throws UnavailableError if the set, or a newer one, cannot be had now
   */
  async find<T>(look: (set: KeySet) => Promise<T | undefined>): Promise<T | undefined> {
    const set = await this.usable();
    const found = await look(set);
    if (found !== undefined) return found;
    const newer = await this.newerThan(set);
    return newer && look(newer);
  }

  /** Fetches the set once, to say in the log what is wrong with it; whoever needs it does not take that for an answer. */
  async prepare(): Promise<void> {
    await this.fetch().catch(() => undefined);
    this.failedAt = Number.NEGATIVE_INFINITY;
  }

  /** What is wrong with the set, after a look for it where none was ever had. */
  async problem(): Promise<KeySetProblem | undefined> {
    if (this.set === undefined) await this.usable().catch(() => undefined);
    else this.refreshInTime();
    if (this.set === undefined) return { message: 'was never had: no session can be verified', isMissing: true };
    if (this.failedAt < this.fetchedAt) return undefined;
    const leftMs = this.maxAgeMs + STALE_IF_ERROR_MS - this.since(this.fetchedAt);
    const minutes = Math.ceil(leftMs / 60_000);
    const use = leftMs > 0 ? `the last good one is used for ${minutes} more minutes` : 'no session can be verified';
    return { message: `cannot be fetched: ${use}`, isMissing: false };
  }

  /** @throws UnavailableError if none may be used now */
  private async usable(): Promise<KeySet> {
    if (!this.isUsable()) await this.waitForFetch(this.waiting);
    if (!this.set) throw keySetUnavailable();
    return this.set;
  }

  /**
   * A set that may hold what another lacks; `undefined` if there is none, or that other was fetched a moment ago.
   *
   * @throws UnavailableError if it cannot be told
   */
  private async newerThan(set: KeySet): Promise<KeySet | undefined> {
    if (this.set === set) {
      if (this.hasJustFailed()) throw keySetUnavailable();
      if (this.since(this.fetchedAt) < REFETCH_COOLDOWN_MS) return undefined;
      await this.waitForFetch(this.suspects);
      if (this.hasJustFailed()) throw keySetUnavailable();
    }
    return this.set === set ? undefined : this.set;
  }

  private hasJustFailed(): boolean {
    return this.since(this.failedAt) < FAILURE_TTL_MS;
  }

  /** Whether the set may be used as it is. @throws UnavailableError if there is none, and none can be had just now */
  private isUsable(): boolean {
    const age = this.since(this.fetchedAt);
    this.refreshInTime();
    if (age <= this.maxAgeMs) return true;
    if (this.mayServeStale(age)) return true;
    if (this.since(this.failedAt) < RETRY_AFTER_MS) throw keySetUnavailable();
    return false;
  }

  private mayServeStale(age: number): boolean {
    return age <= this.maxAgeMs + STALE_IF_ERROR_MS && this.hasJustFailed();
  }

  private refreshInTime(): void {
    const isDue = this.since(this.fetchedAt) > this.maxAgeMs / 2;
    // What comes of it, the next one finds
    if (isDue && this.since(this.failedAt) >= RETRY_AFTER_MS) this.fetch().catch(() => undefined);
  }

  private async waitForFetch(waiting: ConcurrencyLimit): Promise<void> {
    waiting.acquire();
    try {
      await this.fetch();
    } catch {
      if (!this.mayServeStale(this.since(this.fetchedAt))) throw keySetUnavailable();
    } finally {
      waiting.release();
    }
  }

  private fetch(): Promise<void> {
    this.fetching ??= this.reload().finally(() => (this.fetching = undefined));
    return this.fetching;
  }

  private async reload(): Promise<void> {
    const began = this.clock.steady();
    try {
      this.set = usable(await this.endpoint.fetch(), this.endpoint.name);
      this.fetchedAt = began;
      this.failedAt = Number.NEGATIVE_INFINITY;
      this.log.fetched(this.set);
    } catch (error) {
      this.failedAt = this.clock.steady();
      this.log.failed(error as Error, this.set !== undefined);
      throw error;
    }
  }

  private since(time: number): number {
    return this.clock.steady() - time;
  }
}

/** In the place of one that has keys, one without would refuse every session, as if that were the sessions' fault. */
function usable(set: KeySet, endpoint: string): KeySet {
  if (!set.isUsable) throw new KeySetError(endpoint, 'what is there holds no key that verifies sessions');
  return set;
}

/** Without its cause: the log is told of that once for all requests (`KeySetLog`). */
function keySetUnavailable(): UnavailableError {
  const message = 'The keys that sessions are verified with cannot be fetched. Try again in a moment.';
  return new UnavailableError(message);
}
