import type { Moment } from '../clock.js';

/** A change of a key, as the feed reports it. */
export interface Change {
  /** Of the key's `api_key`; see `changeHandle()`. */
  readonly keyHash: string;
  /** The transaction's id; `null` if the service has yet to learn it. */
  readonly at: bigint | null;
}

/**
 * The latest change of each key, complete for transactions from a low-water mark on. A verdict that was asked for after
 * the change may come from a process that has not read the change yet, and no second event follows: only the log shows
 * that the verdict is older than the change.
 */
export class ChangeLog {
  /** The latest change of each key, those that were logged last at the end. */
  private readonly dated = new Map<string, bigint>();
  /** When a change was last reported without its date. It counts as later than any position. */
  private readonly undated = new Map<string, Moment>();
  /** `undefined`: not complete yet. */
  private lowWaterMark: bigint | undefined;

  constructor(private readonly maxKeys = 10_000) {}

  /** Begins a new log, complete from a position on; without one, from nowhere. */
  begin(position?: bigint): void {
    this.dated.clear();
    this.undated.clear();
    this.lowWaterMark = position;
  }

  /**
   * Logs a change.
   *
   * @returns whether it is news: if it is, what is remembered of its key has to be forgotten
   */
  record({ keyHash, at }: Change, now: Moment): boolean {
    if (at === null) {
      const isNews = !this.undated.has(keyHash);
      this.undated.set(keyHash, now);
      return isNews;
    }
    const known = this.dated.get(keyHash);
    if (known !== undefined && at <= known) return false;
    this.setDate(keyHash, at);
    return true;
  }

  /**
   * Dates the changes that were reported before the service began to read all changes from `since` on: each of them was
   * among those it read, with its date, or is older than `since`.
   */
  settle(since: bigint, polledAt: Moment): void {
    for (const [keyHash, reported] of this.undated) {
      if (reported.steady >= polledAt.steady || reported.wall >= polledAt.wall) continue;
      this.undated.delete(keyHash);
      const known = this.dated.get(keyHash);
      if (known === undefined || known < since - 1n) this.setDate(keyHash, since - 1n);
    }
  }

  /**
   * Drops the oldest changes over the maximum, and raises the mark over them.
   *
   * @returns false if there are too many without a date: then the log has to be reset
   */
  trim(): boolean {
    for (const [keyHash, at] of this.dated) {
      if (this.dated.size <= this.maxKeys) break;
      this.dated.delete(keyHash);
      if (this.lowWaterMark !== undefined && this.lowWaterMark <= at) this.lowWaterMark = at + 1n;
    }
    return this.undated.size <= this.maxKeys;
  }

  /** Whether what was read at a position is newer than the changes that the log does not have. */
  reaches(position: bigint): boolean {
    return this.lowWaterMark !== undefined && position >= this.lowWaterMark;
  }

  /** Whether what was read at a position is newer than the logged changes of a key. */
  isNewer(position: bigint, keyHash: string): boolean {
    if (this.undated.has(keyHash)) return false;
    const at = this.dated.get(keyHash);
    return at === undefined || at < position;
  }

  private setDate(keyHash: string, at: bigint): void {
    this.dated.delete(keyHash);
    this.dated.set(keyHash, at);
  }
}
