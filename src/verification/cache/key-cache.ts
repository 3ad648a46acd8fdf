import { LRUCache } from 'lru-cache';
import type { KeyPair } from '../../principals/key-pair.js';
import type { Clock } from '../../clock.js';
import type { CachedKey } from './cached-key.js';

/** How long an entry is used at most, so that no missed invalidation lasts; a fifth less for some, lest all end at once. */
const LIFETIME_MS = 600_000;
const SPREAD = 0.2;
/** Of each place, used or not: two references, two links, a size, and the list of free places. */
const PLACE_BYTES = 40;
/** Of each entry, in the map: an entry, its share of the buckets, and room to grow. */
const MAP_BYTES = 64;
/** No entry is smaller: more places could not be filled. */
const MIN_ENTRY_BYTES = 1_000;

interface Bounds {
  keys: number;
  bytes: number;
}

/**
 * The keys whose secrets have passed, by their current or previous secret. The least recently used are dropped beyond
 * either bound.
 */
export class KeyCache {
  private readonly entries: LRUCache<string, CachedKey>;
  private readonly places: number;
  private previousSecrets = 0;

  constructor(
    bounds: Bounds,
    private readonly clock: Clock,
  ) {
    this.places = Math.min(bounds.keys, Math.ceil(bounds.bytes / MIN_ENTRY_BYTES));
    this.entries = new LRUCache({
      max: this.places,
      maxSize: bounds.bytes - this.places * PLACE_BYTES,
      sizeCalculation: (key, place) => key.bytes + MAP_BYTES + (key.secretKind === 'previous' ? place.length + 16 : 0),
      dispose: ({ secretKind: which }) => {
        if (which === 'previous') this.previousSecrets--;
      },
    });
  }

  /** How many keys it has; twice those that it has with both secrets. */
  get size(): number {
    return this.entries.size;
  }

  /** What it takes of the heap, all that is derived from keys included. */
  get bytes(): number {
    return this.entries.calculatedSize + this.places * PLACE_BYTES;
  }

  /** The key of a pair that has passed; a previous secret passes until its overlap is over. */
  get({ apiKey, secretKey }: KeyPair): CachedKey | undefined {
    const current = this.entries.get(apiKey);
    if (current?.hasSecret(secretKey)) return current;
    if (this.previousSecrets === 0) return undefined;
    const previous = this.entries.get(previousPlace(apiKey));
    return previous?.hasSecret(secretKey) && this.clock.now() < (previous.previousSecretExpiresAt ?? 0)
      ? previous
      : undefined;
  }

  /** Whether it is this very record that is cached. */
  holds(key: CachedKey): boolean {
    return this.entries.peek(placeOf(key)) === key;
  }

  /** Whether the key has been here for its lifetime, and is to be read again before it is used. */
  isDue({ dueAt }: CachedKey): boolean {
    return this.clock.steady() >= dueAt;
  }

  put(key: CachedKey): void {
    key.dueAt = this.clock.steady() + LIFETIME_MS * (1 - SPREAD * Math.random());
    const place = placeOf(key);
    if (key.secretKind === 'previous' && this.entries.peek(place) !== key) this.previousSecrets++;
    this.entries.set(place, key);
  }

  invalidate(apiKeys: Iterable<string>): void {
    for (const apiKey of apiKeys) {
      this.entries.delete(apiKey);
      if (this.previousSecrets > 0) this.entries.delete(previousPlace(apiKey));
    }
  }
}

function placeOf({ secretKind: which, identifier }: CachedKey): string {
  return which === 'previous' ? previousPlace(identifier) : identifier;
}

function previousPlace(apiKey: string): string {
  return `previous ${apiKey}`;
}
