import { Injectable } from '@nestjs/common';
import type { KeyPair } from '../api-keys/credentials.js';
import { CascadesUnderWay } from './cascades-under-way.js';
import { ChangeFeed } from './change-feed.js';
import type { CachedKey } from './cached-key.js';
import { KnownKeys } from './known-keys.js';

type Found = CachedKey | undefined;

/** Finds the key of a pair, as its record and the cascades under way say together. */
@Injectable()
export class KeyLookup {
  constructor(
    private readonly knownKeys: KnownKeys,
    private readonly cascades: CascadesUnderWay,
    private readonly feed: ChangeFeed,
  ) {}

  /**
   * The key of a pair, whatever the key's state; `undefined` if the pair is not right.
   *
   * @throws UnavailableError if that cannot be told now
   */
  find(pair: KeyPair): Found | Promise<Found> {
    const found = this.knownKeys.find(pair);
    if (found instanceof Promise) return this.settleLater(found);
    return found && this.cascades.areAny ? this.settle(found) : found;
  }

  /** What had to be read: if changes may have been missed, a cascade may have been, too. */
  private async settleLater(found: Promise<Found>): Promise<Found> {
    const key = await found;
    if (!key) return undefined;
    if (!this.feed.isFresh) return this.orStale(key, this.cascades.settleAnew(key));
    return this.cascades.areAny ? this.settle(key) : key;
  }

  private settle(key: CachedKey): CachedKey | Promise<CachedKey> {
    const settled = this.cascades.settle(key);
    return settled instanceof Promise ? this.orStale(key, settled) : settled;
  }

  /** While the database is away, a key is trusted, if at all, with what was heard of cascades until then. */
  private async orStale(key: CachedKey, settled: Promise<CachedKey>): Promise<CachedKey> {
    try {
      return await settled;
    } catch (error) {
      if (!this.knownKeys.isDatabaseAway) throw error;
      return this.cascades.settleByOwner(key);
    }
  }
}
