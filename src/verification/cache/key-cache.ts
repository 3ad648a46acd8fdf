import { LRUCache } from 'lru-cache';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import type { Clock } from '../../clock.js';
import type { CachedKey } from './cached-key.js';

/** The longest lifetime of an entry, a backstop for a missed invalidation; up to a fifth less, so that not all expire at once. */
const LIFETIME_MS = 600_000;
const SPREAD = 0.2;
/** Per slot, used or not: two references, two links, a size, and the list of free slots. */
const SLOT_BYTES = 40;
/** Per entry, in the map: an entry, its share of the buckets, and room to grow. */
const MAP_BYTES = 64;
/** The smallest entry: more slots than this allows could not be filled. */
const MIN_ENTRY_BYTES = 1_000;
const MAX_REJECTED_PAIRS = 10_000;
const REJECTED_TTL_MS = 60_000;

interface Bounds {
  keys: number;
  bytes: number;
}

/**
 * Keys whose secrets have been verified, by their current or previous secret, and the pairs that were rejected. The least
 * recently used keys are evicted beyond either bound.
 *
 * An epoch ends whenever changes may have been missed. Keys of earlier epochs stay, but have to be revalidated: they are
 * read again, without argon2 if the secret's hash is unchanged.
 */
export class KeyCache {
  private readonly entries: LRUCache<string, CachedKey>;
  /** By `pairIdOf()`. */
  private readonly negativeCache = new LRUCache<string, true>({ max: MAX_REJECTED_PAIRS, ttl: REJECTED_TTL_MS });
  private readonly slots: number;
  private previousSecrets = 0;
  private currentEpoch = 0;
  private firstEpochOfServer = 0;

  constructor(
    bounds: Bounds,
    private readonly clock: Clock,
  ) {
    this.slots = Math.min(bounds.keys, Math.ceil(bounds.bytes / MIN_ENTRY_BYTES));
    this.entries = new LRUCache({
      max: this.slots,
      maxSize: bounds.bytes - this.slots * SLOT_BYTES,
      sizeCalculation: (key, slot) => key.bytes + MAP_BYTES + (key.secretKind === 'previous' ? slot.length + 16 : 0),
      dispose: ({ secretKind }) => {
        if (secretKind === 'previous') this.previousSecrets--;
      },
    });
  }

  /** The number of entries: two for a key that is cached by both of its secrets. */
  get size(): number {
    return this.entries.size;
  }

  /** The heap it takes, with everything that is memoized for the keys. */
  get bytes(): number {
    return this.entries.calculatedSize + this.slots * SLOT_BYTES;
  }

  /** Counts how often changes may have been missed. */
  get epoch(): number {
    return this.currentEpoch;
  }

  /** The first epoch on this database server: keys of earlier epochs were read from another one, or from a later state. */
  get serverEpoch(): number {
    return this.firstEpochOfServer;
  }

  /** The key of a verified pair, however stale; by its previous secret only until the overlap is over. */
  get({ apiKey, secretKey }: KeyPair): CachedKey | undefined {
    const current = this.entries.get(apiKey);
    if (current?.hasSecret(secretKey)) return current;
    if (this.previousSecrets === 0) return undefined;
    const previous = this.entries.get(previousSlot(apiKey));
    return previous?.hasSecret(secretKey) && this.clock.now() < (previous.previousSecretExpiresAt ?? 0)
      ? previous
      : undefined;
  }

  /** Whether this very record is cached, and was read in the current epoch. */
  isCurrent(key: CachedKey): boolean {
    return key.epoch === this.currentEpoch && this.entries.peek(slotOf(key)) === key;
  }

  /** Whether the key has reached its lifetime, and has to be revalidated. */
  isDue({ dueAt }: CachedKey): boolean {
    return this.clock.steady() >= dueAt;
  }

  /** @param epoch the one in which the read of the key began: changes may have been missed since */
  put(key: CachedKey, epoch: number): void {
    key.epoch = epoch;
    key.dueAt = this.clock.steady() + LIFETIME_MS * (1 - SPREAD * Math.random());
    const slot = slotOf(key);
    if (key.secretKind === 'previous' && this.entries.peek(slot) !== key) this.previousSecrets++;
    this.entries.set(slot, key);
  }

  invalidate(apiKeys: Iterable<string>): void {
    for (const apiKey of apiKeys) {
      this.entries.delete(apiKey);
      if (this.previousSecrets > 0) this.entries.delete(previousSlot(apiKey));
    }
  }

  /** Whether a pair was rejected in the last minute, in this epoch. */
  isRejected(pairId: string): boolean {
    return this.negativeCache.has(pairId);
  }

  /** Remembers that a pair is wrong, so that it costs argon2 only once. */
  reject(pairId: string): void {
    this.negativeCache.set(pairId, true);
  }

  /** @param isOtherServer whether the database is another one, or an earlier state: nothing read before is served, even stale */
  startEpoch(isOtherServer: boolean): void {
    this.currentEpoch++;
    if (isOtherServer) this.firstEpochOfServer = this.currentEpoch;
    this.negativeCache.clear();
  }
}

function slotOf({ secretKind, identifier }: CachedKey): string {
  return secretKind === 'previous' ? previousSlot(identifier) : identifier;
}

function previousSlot(apiKey: string): string {
  return `previous ${apiKey}`;
}
