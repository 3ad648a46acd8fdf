/** What is remembered of a pair. The cache links its entries by the time of their last use. */
export abstract class PairEntry {
  older: PairEntry | undefined;
  newer: PairEntry | undefined;

  constructor(
    /** See `PairDigests`. */
    readonly digest: string,
    /** The hash of its `api_key`; see `changeHandle()`. */
    readonly keyHash: string,
    /** The hashes of further keys whose changes end the entry. */
    readonly alsoEndedBy: readonly string[] | undefined,
  ) {}
}

/** Remembers pairs; over the maximum, the least recently used are evicted. */
export class PairCache<T extends PairEntry> {
  private readonly entries = new Map<string, T>();
  /** The entries that a change of a key ends: nearly always one. */
  private readonly byKey = new Map<string, PairEntry | Set<PairEntry>>();
  private oldest: PairEntry | undefined;
  private newest: PairEntry | undefined;

  constructor(private readonly max: number) {}

  get size(): number {
    return this.entries.size;
  }

  /** The entry, which becomes the most recently used. */
  get(digest: string): T | undefined {
    if (this.entries.size === 0) return undefined;
    const entry = this.entries.get(digest);
    if (entry && entry !== this.newest) {
      this.unlink(entry);
      this.linkAsNewest(entry);
    }
    return entry;
  }

  put(entry: T): void {
    this.delete(this.entries.get(entry.digest));
    this.entries.set(entry.digest, entry);
    this.linkAsNewest(entry);
    this.addTo(entry.keyHash, entry);
    for (const keyHash of entry.alsoEndedBy ?? []) this.addTo(keyHash, entry);
    if (this.entries.size > this.max) this.delete(this.oldest);
  }

  delete(entry: PairEntry | undefined): void {
    if (!entry) return;
    this.entries.delete(entry.digest);
    this.unlink(entry);
    this.removeFrom(entry.keyHash, entry);
    for (const keyHash of entry.alsoEndedBy ?? []) this.removeFrom(keyHash, entry);
  }

  /** Forgets what a change of a key ends. */
  forget(keyHash: string): void {
    const ended = this.byKey.get(keyHash);
    if (!ended) return;
    if (ended instanceof Set) for (const entry of ended) this.delete(entry);
    else this.delete(ended);
  }

  clear(): void {
    this.entries.clear();
    this.byKey.clear();
    this.oldest = this.newest = undefined;
  }

  private linkAsNewest(entry: PairEntry): void {
    entry.older = this.newest;
    entry.newer = undefined;
    if (this.newest) this.newest.newer = entry;
    else this.oldest = entry;
    this.newest = entry;
  }

  private unlink(entry: PairEntry): void {
    const { older, newer } = entry;
    if (older) older.newer = newer;
    else this.oldest = newer;
    if (newer) newer.older = older;
    else this.newest = older;
  }

  private addTo(keyHash: string, entry: PairEntry): void {
    const others = this.byKey.get(keyHash);
    if (others instanceof Set) others.add(entry);
    else this.byKey.set(keyHash, others && others !== entry ? new Set([others, entry]) : entry);
  }

  private removeFrom(keyHash: string, entry: PairEntry): void {
    const others = this.byKey.get(keyHash);
    if (others instanceof Set) others.delete(entry);
    if (others === entry || (others instanceof Set && others.size === 0)) this.byKey.delete(keyHash);
  }
}
