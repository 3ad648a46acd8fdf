import type { Clock } from '../../clock.js';
import { ConcurrencyLimit } from '../../http/load/concurrency-limit.js';
import { UnavailableError } from '../../http/errors/api-error.js';
import type { KeySet } from './key-set.js';
import { KeySetEndpoint, KeySetError } from './key-set-endpoint.js';
import { KeySetLog } from './key-set-log.js';

/** At most this many requests wait for a fetch, so that floods of unknown tokens cannot exhaust memory. */
const MAX_WAITING = 500;
/** The pause after a failed fetch: each may take seconds. */
const RETRY_AFTER_MS = 1_000;
/** How long a failed fetch counts as an outage; later, only another failed fetch does. */
const FAILURE_TTL_MS = 10_000;
/**
 * A token that no key of the set signed may be signed with a new key; but forged tokens must not cause fetch after fetch.
 */
const REFETCH_COOLDOWN_MS = 5_000;
/** While it cannot be fetched, the last good set is used for this much longer than its age allows. */
const STALE_IF_ERROR_MS = 3_600_000;

/** A problem of a key set; sessions are still verified if an earlier set can be used. */
export interface KeySetProblem {
  message: string;
  /** Whether the set was never fetched. */
  isMissing: boolean;
}

/**
 * A JSON Web Key Set (RFC 7517) behind a URL, fetched by one request at a time. Beyond its maximum age it is fetched before
 * it is used, so that a removed key is no longer trusted; in the second half of that time it is refreshed in the
 * background, and no request waits.
 */
export class RemoteKeySet {
  private readonly endpoint: KeySetEndpoint;
  private readonly log: KeySetLog;
  private readonly maxAgeMs: number;
  private readonly waiting = new ConcurrencyLimit(MAX_WAITING, 'Too many sessions wait for the keys that verify them.');
  /** Separate, so that forged tokens take no places from requests that wait for an expired set. */
  private readonly suspects = new ConcurrencyLimit(
    MAX_WAITING,
    'Too many sessions wait for the keys that verify them.',
  );
  private set: KeySet | undefined;
  private fetching: Promise<void> | undefined;
  /** The start of the fetch of the current set. */
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
   * Searches the set and, if the search fails and the set was not fetched a moment ago, a newly fetched one.
   *
   * @returns the result of `search`; `undefined` without one
   * @throws UnavailableError if the set, or a newer one, cannot be fetched now
   */
  async find<T>(search: (set: KeySet) => Promise<T | undefined>): Promise<T | undefined> {
    const set = await this.usable();
    const found = await search(set);
    if (found !== undefined) return found;
    const newer = await this.newerThan(set);
    return newer && search(newer);
  }

  /** Fetches the set once, so that its problems are logged. A failure does not count for later requests. */
  async prepare(): Promise<void> {
    await this.fetch().catch(() => undefined);
    this.failedAt = Number.NEGATIVE_INFINITY;
  }

  /** The set's problem, after an attempt to fetch the first one if it is missing. */
  async problem(): Promise<KeySetProblem | undefined> {
    if (this.set === undefined) await this.usable().catch(() => undefined);
    else this.refreshInTime();
    if (this.set === undefined) return { message: 'was never fetched: no session can be verified', isMissing: true };
    if (this.failedAt < this.fetchedAt) return undefined;
    const leftMs = this.maxAgeMs + STALE_IF_ERROR_MS - this.since(this.fetchedAt);
    const minutes = Math.ceil(leftMs / 60_000);
    const use = leftMs > 0 ? `the last good one is used for ${minutes} more minutes` : 'no session can be verified';
    return { message: `cannot be fetched: ${use}`, isMissing: false };
  }

  /** @throws UnavailableError if no set may be used now */
  private async usable(): Promise<KeySet> {
    if (!this.isUsable()) await this.waitForFetch(this.waiting);
    if (!this.set) throw keySetUnavailable();
    return this.set;
  }

  /**
   * A newer set; `undefined` if the given one is the newest, or was fetched a moment ago.
   *
   * @throws UnavailableError if that is unknown
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

  /** Whether the set may be used without a fetch. @throws UnavailableError if not, and a fetch failed just now */
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
    // Later requests see the result
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
      this.set = assertUsable(await this.endpoint.fetch(), this.endpoint.name);
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

/** A set without keys is an error: it would refuse every session as invalid. */
function assertUsable(set: KeySet, endpoint: string): KeySet {
  if (!set.isUsable) throw new KeySetError(endpoint, 'the set has no key that verifies sessions');
  return set;
}

/** Without its cause, which `KeySetLog` logs once for all requests. */
function keySetUnavailable(): UnavailableError {
  const message = 'The keys that verify sessions cannot be fetched. Try again in a moment.';
  return new UnavailableError(message);
}
