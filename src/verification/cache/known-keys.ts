import { availableParallelism } from 'node:os';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { isGenuine } from '../../api-keys/credentials/credentials.js';
import type { KeyPair } from '../../principals/key-pair.js';
import { Clock } from '../../clock.js';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { ConcurrencyLimit } from '../../http/load/concurrency-limit.js';
import { tooMany, UnavailableError } from '../../http/errors/api-error.js';
import { KeyedConcurrency } from '../../http/load/keyed-concurrency.js';
import { Database } from '../../database/database.js';
import { DatabaseUnavailableError } from '../../database/database-unavailable.js';
import { HedgedConnection, READ_LIMITS } from '../../database/hedged-connection.js';
import { withTimeout } from '../../database/with-timeout.js';
import { CachedKey, digestOf } from './cached-key.js';
import { InvalidationFeed } from '../invalidation-feed.js';
import { KeyCache } from './key-cache.js';
import { KeyReader } from './key-reader.js';
import { KeyLoader } from './key-loader.js';
import { type Found, idOfPair, type LookUp, LookUps } from './look-ups.js';
import { SecretVerifier } from '../secret-verifier.js';
import { CredentialKeyring } from '../../api-keys/credentials/credential-keyring.js';

const REMEMBERED_REFUSALS = 10_000;
const REFUSAL_TTL_MS = 60_000;
const READ_WITHIN_MS = 2_000;
/** For how long a connection that was refused speaks for other reads too: no longer than a fifth of the bound. */
const REFUSAL_STANDS_MS = 1_000;
/** How many keys may be read and hashed at once: with the default cost and two cores, less than a second's worth. */
const MAX_READING = 1_000;
/** Of these, one owner's keys whose secrets are checked: as many at once as there are cores, and some that wait. */
const OWNER_SHARE = { running: availableParallelism(), queued: 300 };
/** A key that changes again and again while it is read is refused service, rather than read for ever. */
const MAX_READS = 5;

/** Remembers the keys that have passed, and the pairs that have not, for as long as that can be trusted. */
@Injectable()
export class KnownKeys implements OnApplicationShutdown {
  private readonly cache: KeyCache;
  private readonly refusals = new LRUCache<string, true>({ max: REMEMBERED_REFUSALS, ttl: REFUSAL_TTL_MS });
  /** How often pairs were told: remembered, refused by their tag, refused before, with others, or from the database. */
  readonly lookups = { known: 0, made_up: 0, refused: 0, shared: 0, read: 0 };
  private readonly reading = new ConcurrencyLimit(MAX_READING, 'Too many keys are being verified for the first time.');
  private readonly checks = new KeyedConcurrency(OWNER_SHARE, () =>
    tooMany('Too many keys of this account are being verified.'),
  );
  private readonly connection: HedgedConnection;
  private readonly reads: KeyLoader;
  /** Counts the times at which keys may have changed without a word of it. */
  private epoch = 0;
  /** What was confirmed before this epoch came from another server, and is not even served stale. */
  private firstEpochOfServer = 0;
  private readonly underWay = new LookUps();

  constructor(
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    private readonly secretChecks: SecretVerifier,
    private readonly feed: InvalidationFeed,
    clock: Clock,
    database: Database,
    reader: KeyReader,
    private readonly keyring: CredentialKeyring,
  ) {
    const { verificationCacheKeys: keys, verificationCacheBytes: bytes, revocationBoundMs } = environment;
    this.cache = new KeyCache({ keys, bytes }, clock);
    const refusalStandsMs = Math.min(REFUSAL_STANDS_MS, revocationBoundMs / 5);
    this.connection = new HedgedConnection(() => database.dedicated(READ_LIMITS), refusalStandsMs);
    this.reads = new KeyLoader((apiKeys) => this.connection.run((client) => reader.find(client, apiKeys)));
    feed.subscribe({
      changed: (apiKeys) => this.forget(apiKeys),
      anyMayHaveChanged: (isOtherServer) => this.doubtAll(isOtherServer),
    });
  }

  onApplicationShutdown(): void {
    this.connection.close();
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.cache.size;
  }

  /** What they take of the heap. */
  get bytes(): number {
    return this.cache.bytes;
  }

  /** How many keys are being read and hashed. */
  get readsUnderWay(): number {
    return this.reading.active;
  }

  /** Whether the network or the server said just now that the database is away. */
  get isDatabaseAway(): boolean {
    return this.connection.isUnavailable;
  }

  /**
   * The key of a pair, whatever the key's state; `undefined` if the pair is not right.
   *
   * @throws UnavailableError if that cannot be told now
   */
  find(pair: KeyPair): Found | Promise<Found> {
    const known = this.cache.get(pair);
    if (known) {
      this.lookups.known++;
      const isTrusted = this.feed.isFresh && known.epoch === this.epoch && !this.cache.isDue(known);
      return isTrusted ? known : this.revalidate(known, pair);
    }
    if (isGenuine(pair, this.keyring.keys)) return this.lookUpOnce(pair);
    this.lookups.made_up++;
    return undefined;
  }

  /** Whether a key that was found is cached as it is, and may be trusted. */
  isCurrent(key: CachedKey): boolean {
    return this.feed.isFresh && key.epoch === this.epoch && this.cache.holds(key);
  }

  /** However many callers wait for the same pair, it is read once and hashed once. */
  private lookUpOnce(pair: KeyPair): Found | Promise<Found> {
    const id = idOfPair(pair);
    const isRefused = this.refusals.has(id);
    const shared = this.underWay.resultOf(id);
    this.lookups[isRefused ? 'refused' : shared ? 'shared' : 'read']++;
    if (isRefused) return undefined;
    if (shared) return shared;
    try {
      this.reading.acquire();
    } catch (refusal) {
      // Not thrown: whoever asks for several waits for what it has begun
      return Promise.reject(refusal);
    }
    const lookUp = this.underWay.begin(pair, this.epoch);
    const result = this.lookUp(lookUp, id).finally(() => {
      this.reading.release();
      this.underWay.end(lookUp);
    });
    this.underWay.share(lookUp, id, result);
    return result;
  }

  /** Reads, then hashes, and remembers the outcome unless the key has changed in between. */
  private async lookUp(lookUp: LookUp, id: string): Promise<Found> {
    for (let reads = 0; reads < MAX_READS; reads++) {
      lookUp.isOutdated = false;
      lookUp.epoch = this.epoch;
      const apiKey = await withTimeout(READ_WITHIN_MS, this.reads.read(lookUp.pair.apiKey));
      const check = () => this.secretChecks.match(apiKey, lookUp.pair.secretKey);
      const which = await this.checks.run(apiKey?.ownerId ?? '', check);
      if (lookUp.isOutdated) continue;
      if (!apiKey || !which) {
        this.refusals.set(id, true);
        return undefined;
      }
      return this.remember(new CachedKey(apiKey, digestOf(lookUp.pair.secretKey), which), lookUp);
    }
    throw new UnavailableError('This API key is being changed. Try again in a moment.', { retryAfterSeconds: 1 });
  }

  /** Reads a cached key again, because changes may have been missed; hashes only a secret that has changed. */
  private async revalidate(known: CachedKey, pair: KeyPair): Promise<Found> {
    if (this.connection.isRefused) return this.serveStale(known);
    const lookUp = this.underWay.begin(pair, this.epoch);
    try {
      const apiKey = await this.reads.read(pair.apiKey);
      const renewed = apiKey && known.renewed(apiKey);
      if (!renewed) return this.lookUpOnce(pair);
      return lookUp.isOutdated ? renewed : this.remember(renewed, lookUp);
    } catch (error) {
      if (error instanceof DatabaseUnavailableError && !lookUp.isOutdated) return this.serveStale(known);
      throw error;
    } finally {
      this.underWay.end(lookUp);
    }
  }

  /** While the database is away, a cached key is trusted for `STALE_IF_ERROR_SECONDS`. */
  private serveStale(known: CachedKey): CachedKey {
    const { revocationBoundMs, staleIfErrorSeconds } = this.environment;
    const isTrusted = staleIfErrorSeconds > 0 && known.epoch >= this.firstEpochOfServer;
    if (isTrusted && this.feed.age <= revocationBoundMs + staleIfErrorSeconds * 1_000) return known;
    throw new UnavailableError('The database is not reachable. Try again in a moment.');
  }

  private remember(key: CachedKey, { epoch }: LookUp): CachedKey {
    key.epoch = epoch;
    this.cache.put(key);
    return key;
  }

  private forget(changed: readonly string[]): void {
    this.cache.invalidate(changed);
    this.underWay.outdate(new Set(changed));
  }

  /** Nothing is thrown away: its next use reads it again, without argon2 where the secret is still the same. */
  private doubtAll(isOtherServer: boolean): void {
    this.epoch++;
    if (isOtherServer) this.firstEpochOfServer = this.epoch;
    this.refusals.clear();
    this.underWay.outdate();
  }
}
