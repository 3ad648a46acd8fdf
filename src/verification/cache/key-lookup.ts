import { availableParallelism } from 'node:os';
import { Injectable } from '@nestjs/common';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { DatabaseUnavailableError } from '../../database/database-unavailable.js';
import { withTimeout } from '../../database/with-timeout.js';
import { tooMany, UnavailableError } from '../../http/errors/api-error.js';
import { ConcurrencyLimit } from '../../http/load/concurrency-limit.js';
import { KeyedConcurrency } from '../../http/load/keyed-concurrency.js';
import { InvalidationFeed } from '../invalidation-feed.js';
import { SecretVerifier } from '../secret-verifier.js';
import { CachedKey, digestOf, type Found } from './cached-key.js';
import { KeyCache } from './key-cache.js';
import { KeyLoader } from './key-loader.js';
import { type Flight, pairIdOf, SingleFlight } from './single-flight.js';
import { StalePolicy } from './stale-policy.js';

const READ_TIMEOUT_MS = 2_000;
/** The cap on concurrent reads and hashes: less than a second of work with the default argon2 cost and two cores. */
const MAX_LOOKUPS = 1_000;
/** One owner's share of argon2: one check per core, and a bounded queue. */
const OWNER_SHARE = { running: availableParallelism(), queued: 300 };
/** A key that keeps changing while it is read is answered with 503 after this many reads. */
const MAX_READS = 5;

/** Finds the key of a pair: from the cache while that is fresh, otherwise from the database. */
@Injectable()
export class KeyLookup {
  /**
   * Counts lookups by result: cached, rejected by the tag alone, rejected from the negative cache, shared with another
   * caller, read from the database. The names are metric labels.
   */
  readonly results = { known: 0, made_up: 0, refused: 0, shared: 0, read: 0 };
  private readonly limit = new ConcurrencyLimit(MAX_LOOKUPS, 'Too many keys are being verified for the first time.');
  private readonly ownerShares = new KeyedConcurrency(OWNER_SHARE, () =>
    tooMany('Too many keys of this account are being verified.'),
  );
  private readonly flights = new SingleFlight();

  constructor(
    readonly cache: KeyCache,
    private readonly stalePolicy: StalePolicy,
    private readonly loader: KeyLoader,
    private readonly secretVerifier: SecretVerifier,
    private readonly feed: InvalidationFeed,
  ) {
    feed.subscribe({
      changed: (invalidations) => this.invalidate(invalidations.map(({ identifier }) => identifier)),
      anyMayHaveChanged: (isOtherServer) => this.invalidateAll(isOtherServer),
    });
  }

  /** The number of keys that are being read and hashed. */
  get active(): number {
    return this.limit.active;
  }

  /** The key of a pair if it is cached and fresh. This is the hot path: it neither waits nor allocates. */
  cached(pair: KeyPair): CachedKey | undefined {
    const key = this.cache.get(pair);
    if (!key || !this.stalePolicy.isFresh(this.feed.age, key.epoch, this.cache, this.cache.isDue(key)))
      return undefined;
    this.results.known++;
    return key;
  }

  /** Whether the pair may be that of a key, by its tag. Only then is it worth looking up. */
  mayExist(pair: KeyPair): boolean {
    if (this.secretVerifier.isGenuine(pair)) return true;
    this.results.made_up++;
    return false;
  }

  /**
   * The key of a pair that may exist, whatever the key's state; `undefined` if the pair is wrong.
   *
   * @throws UnavailableError if too many lookups are active, or the database is unavailable; LateAnswerError
   */
  async find(pair: KeyPair): Promise<Found> {
    const key = this.cache.get(pair);
    if (!key) return this.findOnce(pair);
    this.results.known++;
    return this.findCached(key, pair);
  }

  /** Whether a key that was found earlier is still cached unchanged, and fresh. */
  isCurrent(key: CachedKey): boolean {
    return this.feed.isFresh && this.cache.isCurrent(key);
  }

  private async findCached(key: CachedKey, pair: KeyPair): Promise<Found> {
    const { cache, feed, loader } = this;
    const isDue = cache.isDue(key);
    const decision = this.stalePolicy.decide(feed.age, key.epoch, cache, isDue, loader.isDatabaseRefused);
    if (decision === 'refuse') throw databaseUnavailable();
    return decision === 'revalidate' ? this.revalidate(key, pair) : key;
  }

  /** Single flight: any number of concurrent callers with the same pair cost one read and one hash. */
  private async findOnce(pair: KeyPair): Promise<Found> {
    const pairId = pairIdOf(pair);
    const isRejected = this.cache.isRejected(pairId);
    const shared = this.flights.resultOf(pairId);
    this.results[isRejected ? 'refused' : shared ? 'shared' : 'read']++;
    if (isRejected) return undefined;
    if (shared) return shared;
    this.limit.acquire();
    const flight = this.flights.begin(pair, this.cache.epoch);
    const result = this.read(flight, pairId).finally(() => {
      this.limit.release();
      this.flights.end(flight);
    });
    this.flights.share(flight, pairId, result);
    return result;
  }

  /** Reads, then hashes. The result is cached only if the key has not changed in between; otherwise both are repeated. */
  private async read(flight: Flight, pairId: string): Promise<Found> {
    const { apiKey, secretKey } = flight.pair;
    for (let reads = 0; reads < MAX_READS; reads++) {
      flight.isOutdated = false;
      flight.epoch = this.cache.epoch;
      const record = await withTimeout(READ_TIMEOUT_MS, this.loader.load(apiKey));
      const match = () => this.secretVerifier.match(record, secretKey);
      const secretKind = await this.ownerShares.run(record?.ownerId ?? '', match);
      if (flight.isOutdated) continue;
      if (record && secretKind) return this.store(new CachedKey(record, digestOf(secretKey), secretKind), flight);
      this.cache.reject(pairId);
      return undefined;
    }
    throw new UnavailableError('This API key is being changed. Try again in a moment.', { retryAfterSeconds: 1 });
  }

  /** Reads a cached key again, because changes may have been missed. Only a secret whose hash has changed costs argon2. */
  private async revalidate(key: CachedKey, pair: KeyPair): Promise<Found> {
    const flight = this.flights.begin(pair, this.cache.epoch);
    try {
      const record = await this.loader.load(pair.apiKey);
      const refreshed = record && key.refreshedFrom(record);
      if (!refreshed || flight.isOutdated) return this.findOnce(pair);
      return this.store(refreshed, flight);
    } catch (error) {
      // An outdated key is known to have changed: it is never served stale
      if (error instanceof DatabaseUnavailableError && !flight.isOutdated) return this.serveStale(key);
      throw error;
    } finally {
      this.flights.end(flight);
    }
  }

  private serveStale(key: CachedKey): CachedKey {
    const decision = this.stalePolicy.decideWithoutDatabase(this.feed.age, key.epoch, this.cache);
    if (decision === 'serve stale') return key;
    throw databaseUnavailable();
  }

  private store(key: CachedKey, { epoch }: Flight): CachedKey {
    this.cache.put(key, epoch);
    return key;
  }

  private invalidate(apiKeys: readonly string[]): void {
    this.cache.invalidate(apiKeys);
    this.flights.invalidate(new Set(apiKeys));
  }

  private invalidateAll(isOtherServer: boolean): void {
    this.cache.startEpoch(isOtherServer);
    this.flights.invalidate();
  }
}

function databaseUnavailable(): UnavailableError {
  return new UnavailableError('The database is not reachable. Try again in a moment.');
}
