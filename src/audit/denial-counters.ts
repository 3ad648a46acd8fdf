import { LRUCache } from 'lru-cache';
import type { AuditOccurrence } from './append.js';
import type { AuditSource } from '../principals/audit-source.js';

/** A call of a known principal that was refused. */
export interface Refusal {
  ownerId: string;
  origin: AuditSource;
  /** The error's code. */
  code: string;
  /** The method and the route's pattern. */
  call: string;
  /** The key that it asked for, if any. */
  apiKeyId: string | null;
}

/** The same refusal of the same call of one principal, as often as it came since the last event about it. */
interface Tally {
  key: string;
  /** The last of them. */
  latest: Refusal;
  times: number;
  /** When the first of them came. */
  since: Date;
  isOfOneKey: boolean;
  /** In steady milliseconds: when the next event may be written, how long the one after that has to wait, when the last refusal came. */
  dueAt: number;
  pauseMs: number;
  lastAt: number;
}

const FIRST_PAUSE_MS = 60_000;
const MAX_PAUSE_MS = 3_600_000;
/** How many are remembered, and how many may wait to be written: of all owners, and of one. */
const MAX_REMEMBERED = 10_000;
const MAX_WAITING = 10_000;
const MAX_OF_OWNER = 500;

/** What is to be written for one owner. */
export interface DueRefusals {
  ownerId: string;
  occurrences: AuditOccurrence[];
  /** Call it once they are written, or will never be. */
  done(): void;
}

/**
 * Decides which refusals become events: the first at once, and its repetitions as one event with their number, a
 * minute later, then after two minutes, four, and so on up to an hour. Whoever goes on all day leaves some thirty events
 * a day, of which the numbers add up to what was refused. After an hour without a refusal, the next is a first one.
 */
export class RefusalTallies {
  /** How many refusals were not counted, because too many others waited to be written. */
  dropped = 0;
  private readonly remembered = new LRUCache<string, Tally>({ max: MAX_REMEMBERED });
  /** Those that have something to write, by owner, then by key. */
  private readonly waiting = new Map<string, Map<string, Tally>>();
  private waitingCount = 0;

  /** How many refusals no event tells of yet. */
  get unwritten(): number {
    let sum = this.dropped;
    for (const ofOwner of this.waiting.values()) for (const { times } of ofOwner.values()) sum += times;
    return sum;
  }

  /**
   * @param now steady milliseconds
   * @returns whether there is an event to be written at once
   */
  add(principal: string, refusal: Refusal, now: number, at: Date): boolean {
    const key = `${principal} ${refusal.code} ${refusal.call}`;
    // One that waits to be written may have been evicted from what is remembered
    const known = this.remembered.get(key) ?? this.waiting.get(refusal.ownerId)?.get(key);
    const isRepeated = known !== undefined && (known.times > 0 || now - known.lastAt < MAX_PAUSE_MS);
    const tally = isRepeated ? known : newTally(key, refusal, now);
    if (tally.times === 0 && !this.wait(tally)) return false;
    if (tally.times === 0) Object.assign(tally, { since: at, isOfOneKey: true });
    else tally.isOfOneKey &&= tally.latest.apiKeyId === refusal.apiKeyId;
    Object.assign(tally, { latest: refusal, lastAt: now, times: tally.times + 1 });
    this.remembered.set(key, tally);
    return tally.times === 1 && tally.dueAt <= now;
  }

  /** @param now steady milliseconds; `Infinity` for all that there is */
  *due(now: number, at: Date): Generator<DueRefusals> {
    for (const [ownerId, tallies] of this.waiting) {
      const due = [...tallies.values()].filter(({ dueAt }) => dueAt <= now);
      if (due.length === 0) continue;
      // More may come while these are being written
      const counts = due.map(({ times }) => times);
      yield {
        ownerId,
        occurrences: due.map((one) => occurrenceOf(one, at)),
        done: () => due.forEach((tally, index) => this.settle(tally, counts[index] ?? 0, now, at)),
      };
    }
  }

  private wait(tally: Tally): boolean {
    const { ownerId } = tally.latest;
    const ofOwner = this.waiting.get(ownerId) ?? new Map<string, Tally>();
    if (ofOwner.size >= MAX_OF_OWNER || this.waitingCount >= MAX_WAITING) {
      this.dropped++;
      return false;
    }
    this.waiting.set(ownerId, ofOwner.set(tally.key, tally));
    this.waitingCount++;
    return true;
  }

  /** An event tells of so many: what has come since waits for the next. */
  private settle(tally: Tally, times: number, now: number, at: Date): void {
    tally.times -= times;
    tally.since = at;
    tally.dueAt = now + tally.pauseMs;
    tally.pauseMs = Math.min(2 * tally.pauseMs, MAX_PAUSE_MS);
    if (tally.times > 0) return;
    const { ownerId } = tally.latest;
    const ofOwner = this.waiting.get(ownerId);
    if (ofOwner?.delete(tally.key)) this.waitingCount--;
    if (ofOwner?.size === 0) this.waiting.delete(ownerId);
  }
}

function newTally(key: string, latest: Refusal, now: number): Tally {
  const none = { times: 0, since: new Date(0), isOfOneKey: true };
  return { key, latest, ...none, dueAt: now, pauseMs: FIRST_PAUSE_MS, lastAt: now };
}

function occurrenceOf({ latest, times, since, isOfOneKey }: Tally, at: Date): AuditOccurrence {
  const { origin, code, call, apiKeyId } = latest;
  const changes = times === 1 ? { call } : { call, times, since };
  return { action: 'call.refused', at, origin, apiKeyId: isOfOneKey ? apiKeyId : null, refusal: code, changes };
}
