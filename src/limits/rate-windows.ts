import { UnavailableError } from '../http/errors/api-error.js';
import type { RateLimit } from '../principals/key-limits.js';
import { heapBytesOf } from './heap-bytes.js';
import { type WindowResult, SlidingWindow } from './sliding-window.js';

/** A window and its memory use. */
export interface RateWindow {
  readonly window: SlidingWindow;
  readonly account: Account | undefined;
  bytes: number;
}

/** The memory use of all windows of one owner. */
interface Account {
  readonly owner: string;
  bytes: number;
}

/** The number of windows checked for expiry whenever one is opened, and whenever space is exhausted. */
const SWEEP_SIZE = 4;
const SWEEP_SIZE_WHEN_FULL = 200;
/** An entry or an account, and its slot in the map including spare capacity. */
const ENTRY_BYTES = 48 + 72;
/** Enough for a new window with its owner's account, or for a window to grow to its maximum. */
const MIN_FREE_BYTES = 1_024;
/** The maximum share of a space per owner, so that no owner can fill it alone. */
const MAX_OWNER_SHARE = 1 / 4;

/**
 * The windows of one purpose, in bounded memory. Active windows are never evicted. If memory is exhausted, new windows
 * are rejected, and a window that would have to grow merges counts instead, some of which then count for longer. So
 * memory pressure never causes a limit to be exceeded.
 */
export class RateWindows {
  private readonly windows = new Map<string, RateWindow>();
  private readonly accounts = new Map<string, Account>();
  private readonly ownerBytes: number;
  private cursor = this.windows.entries();
  private usedBytes = 0;

  constructor(private readonly maxBytes: number) {
    this.ownerBytes = maxBytes * MAX_OWNER_SHARE;
  }

  get size(): number {
    return this.windows.size;
  }

  get bytes(): number {
    return this.usedBytes;
  }

  get(key: string): RateWindow | undefined {
    return this.windows.get(key);
  }

  /** Charges the window if the cost fits. */
  take(entry: RateWindow, limit: RateLimit, cost: number, now: number): WindowResult {
    const before = entry.window.bytes;
    const result = entry.window.take(limit, cost, now, this.hasRoom(entry.account, MIN_FREE_BYTES));
    this.addBytes(entry, entry.window.bytes - before);
    return result;
  }

  /**
   * Adds a charged window.
   *
   * @throws UnavailableError if memory is exhausted
   */
  open(key: string, window: SlidingWindow, now: number, owner: string | undefined): void {
    this.sweep(SWEEP_SIZE, now);
    let account = owner === undefined ? undefined : this.accounts.get(owner);
    if (!this.hasRoom(account, MIN_FREE_BYTES)) this.sweep(SWEEP_SIZE_WHEN_FULL, now);
    if (!this.hasRoom(account, MIN_FREE_BYTES)) {
      throw new UnavailableError('Too many rate limits are in use to track another one. Try again later.');
    }
    if (owner !== undefined) account = this.accounts.get(owner) ?? this.addAccount(owner);
    const entry: RateWindow = { window, account, bytes: 0 };
    this.windows.set(key, entry);
    this.addBytes(entry, ENTRY_BYTES + heapBytesOf(key) + window.bytes);
  }

  clear(): void {
    this.windows.clear();
    this.accounts.clear();
    this.usedBytes = 0;
  }

  private hasRoom(account: Account | undefined, bytes: number): boolean {
    if (this.usedBytes + bytes > this.maxBytes) return false;
    return account === undefined || account.bytes + bytes <= this.ownerBytes;
  }

  private addAccount(owner: string): Account {
    const account = { owner, bytes: 0 };
    this.accounts.set(owner, account);
    this.usedBytes += ENTRY_BYTES + heapBytesOf(owner);
    return account;
  }

  private addBytes(entry: RateWindow, change: number): void {
    if (change === 0) return;
    entry.bytes += change;
    this.usedBytes += change;
    if (entry.account) entry.account.bytes += change;
  }

  private drop(key: string, entry: RateWindow): void {
    this.windows.delete(key);
    this.addBytes(entry, -entry.bytes);
    const { account } = entry;
    if (account?.bytes !== 0 || !this.accounts.delete(account.owner)) return;
    this.usedBytes -= ENTRY_BYTES + heapBytesOf(account.owner);
  }

  /** Checks the next `count` windows and drops the expired ones. */
  private sweep(count: number, now: number): void {
    for (let i = 0; i < count && this.windows.size > 0; i++) {
      const { value, done } = this.cursor.next();
      if (done) this.cursor = this.windows.entries();
      else if (value[1].window.isExpired(now)) this.drop(value[0], value[1]);
    }
  }
}
