import { LRUCache } from 'lru-cache';
import type { RateLimit } from '../principals/key-limits.js';
import type { Clock } from '../clock.js';
import { heapBytesOf } from './heap-bytes.js';
import type { InProcessRateLimiter } from './in-process-rate-limiter.js';
import type { RateDecision } from './rate-limiter.js';
import type { WindowResult } from './sliding-window.js';

/** What Redis last said of a key. */
interface LastWord {
  limit: RateLimit;
  /** How much counted. */
  used: number;
  /** When none of that will count, by the steady clock. */
  resetAt: number;
  /** Names the window: one begun anew is another. */
  begun: number;
}

const NO_WORD = [0, 0, 0] as const;

/** What was granted for a key without Redis, which it has to be told. */
export interface Debt {
  readonly limit: RateLimit;
  cost: number;
  /** When the last of it was granted, by the steady clock. */
  at: number;
}

const MEBIBYTE = 1_048_576;
/** Of the least recently used keys beyond it, Redis' last word is not known. */
const LAST_WORD_BYTES = 32 * MEBIBYTE;
const DEBT_BYTES = 32 * MEBIBYTE;
/** A word or a debt, and its places in the cache. */
const RECORD_BYTES = 200;

/**
 * Decides in this process while Redis is unavailable, so that all processes together still grant no more than the
 * limit: each grants its share of what was left when Redis last spoke of the key, or of the whole limit if it has not.
 */
export class FallbackRates {
  private readonly words = boundedBy<LastWord>(LAST_WORD_BYTES);
  private debts = boundedBy<Debt>(DEBT_BYTES);

  /** @param processes how many share the limits */
  constructor(
    private readonly own: InProcessRateLimiter,
    private readonly processes: () => number,
    private readonly clock: Clock,
  ) {}

  get bytes(): number {
    return this.own.bytes + this.words.calculatedSize + this.debts.calculatedSize;
  }

  /** Remembers what Redis has said. */
  note(key: string, limit: RateLimit, { remaining, resetMs }: WindowResult, begun: number): void {
    const said = { limit, used: limit.requests - remaining, resetAt: this.clock.steady() + resetMs, begun };
    const word = this.words.get(key);
    if (word) Object.assign(word, said);
    else this.words.set(key, said);
  }

  /** What Redis is to restore of a key, should it have lost it: how much counted, for how many ms more, and of which window. */
  lastWord(key: string): readonly [used: number, resetMs: number, begun: number] {
    const word = this.words.get(key);
    const resetMs = word ? Math.floor(word.resetAt - this.clock.steady()) : 0;
    return word && resetMs > 0 ? [word.used, resetMs, word.begun] : NO_WORD;
  }

  /** Of what keys something still counts, by Redis' last words; those last used first, and no more than `most`. */
  keysInUse(most: number): [key: string, limit: RateLimit][] {
    const now = this.clock.steady();
    const inUse = [...this.words.entries()].filter(([, { used, resetAt }]) => used > 0 && resetAt > now);
    return inUse.slice(0, most).map(([key, { limit }]) => [key, limit]);
  }

  /** @throws UnavailableError where there is no memory to count in */
  take(key: string, limit: RateLimit, cost: number, owner?: string): RateDecision {
    const share = this.shareOf(limit.requests);
    const ownLimit = { requests: Math.max(1, share), windowSeconds: limit.windowSeconds };
    this.begin(key, limit, ownLimit, owner);
    const decision = this.own.take(key, ownLimit, cost, owner);
    if (!decision.granted || cost === 0) return { ...decision, limit: limit.requests };
    const debt = this.owe(key, limit, cost, this.clock.steady());
    let isCharged = true;
    const giveBack = () => {
      if (isCharged) debt.cost -= cost;
      isCharged = false;
      return decision.refund();
    };
    return { ...decision, limit: limit.requests, refund: giveBack };
  }

  /** What has been granted since the last call and still counts, by key. */
  collectDebts(): [key: string, debt: Debt][] {
    const now = this.clock.steady();
    const collected = [...this.debts.entries()].filter(
      ([, { cost, at, limit }]) => cost > 0 && now - at < limit.windowSeconds * 1_010,
    );
    this.debts = boundedBy<Debt>(DEBT_BYTES);
    return collected;
  }

  /** Of debts that Redis may not have been told: rather twice than never. */
  oweAgain(debts: readonly [key: string, debt: Debt][]): void {
    for (const [key, { limit, cost, at }] of debts) this.owe(key, limit, cost, at);
  }

  /** Redis has been told, and counts again. */
  end(): void {
    this.own.clear();
  }

  /** In a key's first window without Redis, that counts which was not left to this process. */
  private begin(key: string, { requests }: RateLimit, ownLimit: RateLimit, owner: string | undefined): void {
    if (this.own.has(key)) return;
    const word = this.words.get(key);
    if (!word || word.resetAt <= this.clock.steady()) return;
    const left = this.shareOf(Math.max(0, requests - word.used));
    if (left < ownLimit.requests) this.own.charge(key, ownLimit, ownLimit.requests - left, word.resetAt, owner);
  }

  private shareOf(amount: number): number {
    return Math.floor(amount / this.processes());
  }

  private owe(key: string, limit: RateLimit, cost: number, at: number): Debt {
    const known = this.debts.get(key);
    const debt = known ?? { limit, cost: 0, at };
    debt.cost += cost;
    debt.at = Math.max(debt.at, at);
    if (!known) this.debts.set(key, debt);
    return debt;
  }
}

function boundedBy<T extends object>(maxSize: number): LRUCache<string, T> {
  return new LRUCache({ maxSize, sizeCalculation: (_, key) => RECORD_BYTES + heapBytesOf(key) });
}
