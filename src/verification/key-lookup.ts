import { Injectable } from '@nestjs/common';
import type { KeyPair } from '../api-keys/credentials.js';
import { CascadesUnderWay } from './cascades-under-way.js';
import { ChangeFeed } from './change-feed.js';
import type { KnownKey } from './known-key.js';
import { KnownKeys } from './known-keys.js';

type Found = KnownKey | undefined;

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
    return found && this.cascades.areAny ? this.cascades.settle(found) : found;
  }

  /** What had to be read: if changes may have been missed, a cascade may have been, too. */
  private async settleLater(found: Promise<Found>): Promise<Found> {
    const key = await found;
    if (!key) return undefined;
    if (!this.feed.isFresh) return this.cascades.settleAnew(key);
    return this.cascades.areAny ? this.cascades.settle(key) : key;
  }
}
