import { UnavailableError } from '../http/errors/api-error.js';
import type { RateLimit } from '../principals/key-limits.js';
import { heapBytesOf } from './heap-bytes.js';
import { type WindowResult, SlidingWindow } from './sliding-window.js';

/** A window, and what it takes of its space. */
export interface RateWindow {
  readonly window: SlidingWindow;
  readonly account: Account | undefined;
  bytes: number;
}

/** What all windows of one owner take. */
interface Account {
  readonly owner: string;
  bytes: number;
}

/** How many windows are looked at, when one is opened, to see whether they are over; and when there is no room. */
const SWEPT = 4;
const SWEPT_WHEN_FULL = 200;
/** An entry or an account, and its place in the map with room to grow. */
const PLACE_BYTES = 48 + 72;
/** Room for a window and the account of its owner, or for a window to grow as large as it can. */
const NEW_BYTES = 1_024;
/** No owner has more than this share of a space, so that none can fill it alone. */
const OWNER_SHARE = 1 / 4;

/**
 * The windows of one purpose, in bounded memory. A window that is not over is never forgotten: where there is no room
 * for another one, it is refused; and a window that would need more room keeps counts together instead, of which some
 * then count for longer. So limits are never exceeded for lack of memory.
 */
export class RateWindows {
  private readonly windows = new Map<string, RateWindow>();
  private readonly accounts = new Map<string, Account>();
  private readonly ownerBytes: number;
  private cursor = this.windows.entries();
  private taken = 0;

  constructor(private readonly maxBytes: number) {
    this.ownerBytes = maxBytes * OWNER_SHARE;
  }

  get size(): number {
    return this.windows.size;
  }

  get bytes(): number {
    return this.taken;
  }

  get(key: string): RateWindow | undefined {
    return this.windows.get(key);
  }

  /** Charges a window of this space if the cost fits. */
  take(one: RateWindow, limit: RateLimit, cost: number, now: number): WindowResult {
    const before = one.window.bytes;
    const reckoning = one.window.take(limit, cost, now, this.hasRoom(one.account, NEW_BYTES));
    this.reckon(one, one.window.bytes - before);
    return reckoning;
  }

  /**
   * Adds a window that has been charged.
   *
   * @throws UnavailableError where there is no room
   */
  open(key: string, window: SlidingWindow, now: number, owner: string | undefined): void {
    this.sweep(SWEPT, now);
    let account = owner === undefined ? undefined : this.accounts.get(owner);
    if (!this.hasRoom(account, NEW_BYTES)) this.sweep(SWEPT_WHEN_FULL, now);
    if (!this.hasRoom(account, NEW_BYTES)) {
      throw new UnavailableError('Too many rate limits are in use to count another one. Try again later.');
    }
    if (owner !== undefined) account = this.accounts.get(owner) ?? this.addAccount(owner);
    const one: RateWindow = { window, account, bytes: 0 };
    this.windows.set(key, one);
    this.reckon(one, PLACE_BYTES + heapBytesOf(key) + window.bytes);
  }

  clear(): void {
    this.windows.clear();
    this.accounts.clear();
    this.taken = 0;
  }

  private hasRoom(account: Account | undefined, bytes: number): boolean {
    if (this.taken + bytes > this.maxBytes) return false;
    return account === undefined || account.bytes + bytes <= this.ownerBytes;
  }

  private addAccount(owner: string): Account {
    const account = { owner, bytes: 0 };
    this.accounts.set(owner, account);
    this.taken += PLACE_BYTES + heapBytesOf(owner);
    return account;
  }

  private reckon(one: RateWindow, change: number): void {
    if (change === 0) return;
    one.bytes += change;
    this.taken += change;
    if (one.account) one.account.bytes += change;
  }

  private drop(key: string, one: RateWindow): void {
    this.windows.delete(key);
    this.reckon(one, -one.bytes);
    const { account } = one;
    if (account?.bytes !== 0 || !this.accounts.delete(account.owner)) return;
    this.taken -= PLACE_BYTES + heapBytesOf(account.owner);
  }

  /** Looks at some windows, in turn, and drops those that are over. */
  private sweep(count: number, now: number): void {
    for (let i = 0; i < count && this.windows.size > 0; i++) {
      const { value, done } = this.cursor.next();
      if (done) this.cursor = this.windows.entries();
      else if (value[1].window.isOver(now)) this.drop(value[0], value[1]);
    }
  }
}
