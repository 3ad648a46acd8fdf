import { Injectable } from '@nestjs/common';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { ActiveCascades } from './active-cascades.js';
import type { CachedKey, Found } from './cache/cached-key.js';
import { KeyLoader } from './cache/key-loader.js';
import { KeyLookup } from './cache/key-lookup.js';
import { InvalidationFeed } from './invalidation-feed.js';

/** Resolves a pair to its key, in the state that its record and the active cascades give it together. */
@Injectable()
export class KeyResolver {
  constructor(
    private readonly lookup: KeyLookup,
    private readonly loader: KeyLoader,
    private readonly cascades: ActiveCascades,
    private readonly feed: InvalidationFeed,
  ) {}

  /**
   * The key of a pair, whatever the key's state; `undefined` if the pair is wrong. Synchronous on a cache hit, which is
   * the hot path, and for a made-up pair, of which a flood must be cheap. Everything else is a promise.
   *
   * @throws by its promise: UnavailableError, or what the database throws, if the answer cannot be determined now
   */
  resolve(pair: KeyPair): Found | Promise<Found> {
    const key = this.cascades.areKnown ? this.lookup.cached(pair) : undefined;
    if (key) return this.cascades.mayRevoke(key) ? this.cascades.apply(key) : key;
    return this.lookup.mayExist(pair) ? this.load(pair) : undefined;
  }

  /** Whether a key that was resolved earlier would resolve to the same now, judged without asking the database. */
  isCurrent(key: CachedKey): boolean {
    const mayBeRevoked = key.issuedBy !== null && (this.cascades.areAny || !this.cascades.areKnown);
    return !mayBeRevoked && this.lookup.isCurrent(key);
  }

  /**
   * Where changes may have been missed, a cascade may have been missed too. Cascades are read before the key: read after
   * it, one could be complete by then whose last rows were written after the key was read.
   */
  private async load(pair: KeyPair): Promise<Found> {
    const areCascadesCertain = this.feed.isFresh && this.cascades.areKnown;
    const skipRefresh = areCascadesCertain || this.loader.isDatabaseUnavailable;
    const failure = skipRefresh ? undefined : await failureOf(this.cascades.refresh());
    const key = await this.lookup.find(pair);
    // While the database is unavailable, a key may be served stale, with the cascades that were known until then
    if (key && failure !== undefined && !this.loader.isDatabaseUnavailable) throw failure;
    return key && this.cascades.apply(key);
  }
}

async function failureOf(work: Promise<void>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error;
  }
}
