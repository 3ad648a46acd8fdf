import { Injectable } from '@nestjs/common';
import type { KeyPair } from '../principals/key-pair.js';
import { CascadesUnderWay } from './cascades-under-way.js';
import { InvalidationFeed } from './invalidation-feed.js';
import type { CachedKey } from './cache/cached-key.js';
import { KnownKeys } from './cache/known-keys.js';

type Found = CachedKey | undefined;

/** Finds the key of a pair, as its record and the cascades under way say together. */
@Injectable()
export class KeyLookup {
  constructor(
    private readonly knownKeys: KnownKeys,
    private readonly cascades: CascadesUnderWay,
    private readonly feed: InvalidationFeed,
  ) {}

  /**
   * The key of a pair, whatever the key's state; `undefined` if the pair is not right.
   *
   * @throws UnavailableError if that cannot be told now
   */
  find(pair: KeyPair): Found | Promise<Found> {
    if (!this.feed.isFresh || !this.cascades.areKnown) return this.findAnew(pair);
    const found = this.knownKeys.find(pair);
    if (found instanceof Promise) return found.then((key) => key && this.settle(key));
    return found && this.settle(found);
  }

  /** Whether a key that was found is still what would be found now, without asking the database. */
  isCurrent(key: CachedKey): boolean {
    const mayHaveEnded = key.issuedBy !== null && (this.cascades.areAny || !this.cascades.areKnown);
    return !mayHaveEnded && this.knownKeys.isCurrent(key);
  }

  private settle(key: CachedKey): CachedKey | Promise<CachedKey> {
    return this.cascades.areAny ? this.cascades.settle(key) : key;
  }

  /**
   * Where changes may have been missed, cascades may have been, too. They are read before the key is: read afterwards,
   * one could be over by then whose last rows were written after the key was read.
   */
  private async findAnew(pair: KeyPair): Promise<Found> {
    const failure = this.knownKeys.isDatabaseAway ? undefined : await failureOf(this.cascades.refresh());
    const key = await this.knownKeys.find(pair);
    // While the database is away, a key is trusted, if at all, with what was heard of cascades until then
    if (key && failure !== undefined && !this.knownKeys.isDatabaseAway) throw failure;
    return key && this.settle(key);
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
