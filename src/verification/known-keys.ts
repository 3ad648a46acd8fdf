import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { ApiKey } from '../api-keys/api-key.entity.js';
import { ApiKeysService } from '../api-keys/api-keys.service.js';
import { isGenuine, type KeyPair } from '../api-keys/credentials.js';
import { Clock } from '../config/clock.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { Admission } from '../contract/admission.js';
import { UnavailableError } from '../contract/api-error.js';
import { isConnectionCut, isDatabaseAway } from '../database/database-away.js';
import { within } from '../database/within.js';
import { ChangeFeed } from './change-feed.js';
import { KeyRereads } from './key-rereads.js';
import { CachedKey, digestOf } from './cached-key.js';
import { KeyCache } from './key-cache.js';
import { SecretChecks } from './secret-checks.js';

type Found = CachedKey | undefined;

/** A look-up under way, which is outdated once its key has changed since it began to read. */
interface LookUp {
  readonly id: string;
  readonly pair: KeyPair;
  isOutdated: boolean;
}

const REMEMBERED_REFUSALS = 10_000;
const REFUSAL_TTL_MS = 60_000;
const READ_WITHIN_MS = 2_000;
/** So long a read that failed stands for others; then one of them tries again. */
const FAILURE_STANDS_MS = 1_000;
/** How many keys may be read and hashed at once: with the default cost and two cores, less than a second's worth. */
const MOST_READING = 1_000;
/** A key that changes again and again while it is read is refused service, rather than read for ever. */
const MOST_READS = 5;

/** Remembers the keys that have passed, and the pairs that have not, for as long as that can be believed. */
@Injectable()
export class KnownKeys {
  private readonly cache: KeyCache;
  private readonly refusals = new LRUCache<string, true>({ max: REMEMBERED_REFUSALS, ttl: REFUSAL_TTL_MS });
  /** How often pairs were told: remembered, refused by their tag, refused before, with others, or from the database. */
  readonly lookups = { known: 0, made_up: 0, refused: 0, shared: 0, read: 0 };
  private readonly reading = new Admission(MOST_READING, 'Too many keys are being verified for the first time.');
  private readonly rereads = new KeyRereads((apiKeys) => this.readAnew(apiKeys));
  /** When a key could not be read anew; `-Infinity` if that has succeeded since. */
  private readFailedAt = Number.NEGATIVE_INFINITY;
  private readonly lookUps = new Set<LookUp>();
  private readonly results = new Map<string, Promise<Found>>();

  constructor(
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    private readonly apiKeys: ApiKeysService,
    private readonly secretChecks: SecretChecks,
    private readonly feed: ChangeFeed,
    clock: Clock,
  ) {
    const { verificationCacheKeys: keys, verificationCacheBytes: bytes } = environment;
    this.cache = new KeyCache({ keys, bytes }, clock);
    feed.subscribe((changed) => this.forget(changed));
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
  get reads(): number {
    return this.reading.underWay;
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
      if (this.cache.isDue(known)) return this.renew(known, pair);
      return this.feed.isFresh ? known : this.confirm(known, pair);
    }
    if (isGenuine(pair, this.environment.credentialKeys)) return this.lookUpOnce(pair);
    this.lookups.made_up++;
    return undefined;
  }

  /** However many callers wait for the same pair, it is read once and hashed once. */
  private lookUpOnce(pair: KeyPair): Found | Promise<Found> {
    const id = hash('sha256', pair.apiKey + pair.secretKey, 'base64');
    const isRefused = this.refusals.has(id);
    const underWay = this.results.get(id);
    this.lookups[isRefused ? 'refused' : underWay ? 'shared' : 'read']++;
    if (isRefused) return undefined;
    if (underWay) return underWay;
    try {
      this.reading.enter();
    } catch (tooMany) {
      // Not thrown: whoever asks for several waits for what it has begun
      return Promise.reject(tooMany);
    }
    const lookUp: LookUp = { id, pair, isOutdated: false };
    this.lookUps.add(lookUp);
    const result = this.lookUp(lookUp).finally(() => {
      this.reading.leave();
      this.lookUps.delete(lookUp);
      if (this.results.get(id) === result) this.results.delete(id);
    });
    this.results.set(id, result);
    return result;
  }

  /** Reads, then hashes, and remembers the outcome unless the key has changed in between. */
  private async lookUp(lookUp: LookUp): Promise<Found> {
    const { id, pair } = lookUp;
    for (let reads = 0; reads < MOST_READS; reads++) {
      lookUp.isOutdated = false;
      const apiKey = await within(READ_WITHIN_MS, this.apiKeys.findByApiKey(pair.apiKey));
      const which = await this.secretChecks.check(apiKey, pair.secretKey);
      if (lookUp.isOutdated) continue;
      if (!apiKey || !which) {
        this.refusals.set(id, true);
        return undefined;
      }
      const found = new CachedKey(apiKey, digestOf(pair.secretKey), which);
      this.cache.put(found);
      return found;
    }
    throw new UnavailableError('This API key is being changed. Try again in a moment.', { retryAfterSeconds: 1 });
  }

  /** Reads what is remembered anew, because changes may have been missed; hashes only a secret that has changed. */
  private async confirm(known: CachedKey, pair: KeyPair): Promise<Found> {
    const now = performance.now();
    if (now - this.readFailedAt < FAILURE_STANDS_MS) return this.believe(known);
    // While it fails, one tries, and the others do not wait for it
    if (this.readFailedAt > 0) this.readFailedAt = now;
    let apiKey: ApiKey | null;
    try {
      apiKey = await this.rereads.read(pair.apiKey);
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      this.readFailedAt = performance.now();
      return this.believe(known);
    }
    this.readFailedAt = Number.NEGATIVE_INFINITY;
    return (apiKey && known.renewed(apiKey)) ?? this.lookUpOnce(pair);
  }

  /** Reads a key again that has been cached for its lifetime, and caches it again unless it has changed meanwhile. */
  private async renew(known: CachedKey, pair: KeyPair): Promise<Found> {
    const lookUp: LookUp = { id: '', pair, isOutdated: false };
    this.lookUps.add(lookUp);
    try {
      const renewed = await this.confirm(known, pair);
      if (!renewed) this.cache.invalidate([pair.apiKey]);
      // Still the same where the database is unavailable: then it stays due
      else if (renewed !== known && !lookUp.isOutdated) this.cache.put(renewed);
      return renewed;
    } finally {
      this.lookUps.delete(lookUp);
    }
  }

  /**
   * Once more where only the connection was cut: that is no sign of a database that is away, nor is a poll of changes
   * that was cut or slow; and the bound leaves no time to believe what may have changed.
   */
  private readAnew(apiKeys: string[]): Promise<ApiKey[]> {
    const read = () => within(READ_WITHIN_MS, this.apiKeys.findByApiKeys(apiKeys));
    return read().catch((error: unknown) => {
      if (isConnectionCut(error)) return read();
      throw error;
    });
  }

  /** While the database is away, a known key is believed for `STALE_IF_ERROR_SECONDS`. */
  private believe(known: CachedKey): CachedKey {
    const believable = this.environment.revocationBoundMs + this.environment.staleIfErrorSeconds * 1_000;
    if (this.environment.staleIfErrorSeconds > 0 && this.feed.age <= believable) return known;
    throw new UnavailableError('The database is not reachable. Try again in a moment.');
  }

  private forget(changed: readonly string[] | undefined): void {
    if (!changed) return this.forgetAll();
    this.cache.invalidate(changed);
    const forgotten = new Set(changed);
    for (const lookUp of this.lookUps) {
      if (!forgotten.has(lookUp.pair.apiKey)) continue;
      lookUp.isOutdated = true;
      // Whoever asks from now on does not wait for what was read before
      this.results.delete(lookUp.id);
    }
  }

  private forgetAll(): void {
    this.cache.clear();
    for (const lookUp of this.lookUps) lookUp.isOutdated = true;
    this.results.clear();
  }
}
