import { LRUCache } from 'lru-cache';
import type { PendingEvent } from './append.js';
import type { ErrorCode } from '../http/errors/error-codes.js';
import type { AuditSource } from '../principals/audit-source.js';

/** A denied call of a known principal. */
export interface DeniedCall {
  ownerId: string;
  source: AuditSource;
  code: ErrorCode;
  /** The method and the route pattern. */
  call: string;
  /** The key that was requested, if any. */
  apiKeyId: string | null;
}

/** Counts equal denials (principal, code and call) since the last event about them. */
interface DenialCounter {
  key: string;
  latest: DeniedCall;
  times: number;
  /** The time of the first one counted. */
  since: Date;
  /** Whether all of them requested the same key. */
  hasOneKey: boolean;
  /** When the next event may be written; steady milliseconds. */
  dueAt: number;
  /** The wait between that event and the one after it. */
  intervalMs: number;
  /** Steady milliseconds. */
  lastDeniedAt: number;
}

const MIN_INTERVAL_MS = 60_000;
const MAX_INTERVAL_MS = 3_600_000;
const MAX_RECENT = 10_000;
const MAX_PENDING = 10_000;
const MAX_PENDING_PER_OWNER = 500;

/** The events to write for one owner. */
export interface DueEvents {
  ownerId: string;
  events: PendingEvent[];
  /** Call it once they are written or given up. */
  markWritten(): void;
}

/**
 * Decides which denials become events: the first at once; its repetitions as one event with their number, after a minute,
 * then two, four, and so on up to an hour. A client that retries all day leaves about thirty events, whose numbers add up
 * to all denials. After an hour without a denial, the next one counts as a first one.
 */
export class DenialCounters {
  /** The number of denials that were not counted, because too many others were pending. */
  dropped = 0;
  private readonly recent = new LRUCache<string, DenialCounter>({ max: MAX_RECENT });
  /** Counters with something to write, by owner, then by key. */
  private readonly pending = new Map<string, Map<string, DenialCounter>>();
  private pendingCount = 0;

  /** The number of denials that no event covers yet. */
  get unwritten(): number {
    let sum = this.dropped;
    for (const ofOwner of this.pending.values()) for (const { times } of ofOwner.values()) sum += times;
    return sum;
  }

  /**
   * @param now steady milliseconds
   * @returns whether an event is due at once
   */
  add(principal: string, denied: DeniedCall, now: number, at: Date): boolean {
    const key = `${principal} ${denied.code} ${denied.call}`;
    // A pending counter may have been evicted from the recent ones
    const known = this.recent.get(key) ?? this.pending.get(denied.ownerId)?.get(key);
    const isRepeated = known !== undefined && (known.times > 0 || now - known.lastDeniedAt < MAX_INTERVAL_MS);
    const counter = isRepeated ? known : newCounter(key, denied, now);
    if (counter.times === 0 && !this.enqueue(counter)) return false;
    counter.hasOneKey = counter.times === 0 || (counter.hasOneKey && counter.latest.apiKeyId === denied.apiKeyId);
    if (counter.times === 0) counter.since = at;
    counter.latest = denied;
    counter.lastDeniedAt = now;
    counter.times++;
    this.recent.set(key, counter);
    return counter.times === 1 && counter.dueAt <= now;
  }

  /** @param now steady milliseconds; `Infinity` for all pending events */
  *due(now: number, at: Date): Generator<DueEvents> {
    for (const [ownerId, counters] of this.pending) {
      const due = [...counters.values()].filter(({ dueAt }) => dueAt <= now);
      if (due.length === 0) continue;
      // More denials may arrive while these are being written
      const written = due.map(({ times }) => times);
      yield {
        ownerId,
        events: due.map((counter) => eventOf(counter, at)),
        markWritten: () => due.forEach((counter, index) => this.settle(counter, written[index] ?? 0, now, at)),
      };
    }
  }

  private enqueue(counter: DenialCounter): boolean {
    const { ownerId } = counter.latest;
    const ofOwner = this.pending.get(ownerId) ?? new Map<string, DenialCounter>();
    if (ofOwner.size >= MAX_PENDING_PER_OWNER || this.pendingCount >= MAX_PENDING) {
      this.dropped++;
      return false;
    }
    this.pending.set(ownerId, ofOwner.set(counter.key, counter));
    this.pendingCount++;
    return true;
  }

  /** Subtracts the `times` that were written; later denials wait for the next event. */
  private settle(counter: DenialCounter, times: number, now: number, at: Date): void {
    counter.times -= times;
    counter.since = at;
    counter.dueAt = now + counter.intervalMs;
    counter.intervalMs = Math.min(2 * counter.intervalMs, MAX_INTERVAL_MS);
    if (counter.times > 0) return;
    const { ownerId } = counter.latest;
    const ofOwner = this.pending.get(ownerId);
    if (ofOwner?.delete(counter.key)) this.pendingCount--;
    if (ofOwner?.size === 0) this.pending.delete(ownerId);
  }
}

function newCounter(key: string, latest: DeniedCall, now: number): DenialCounter {
  const none = { times: 0, since: new Date(0), hasOneKey: true };
  return { key, latest, ...none, dueAt: now, intervalMs: MIN_INTERVAL_MS, lastDeniedAt: now };
}

function eventOf({ latest, times, since, hasOneKey }: DenialCounter, at: Date): PendingEvent {
  const { source, code, call, apiKeyId } = latest;
  const changes = times === 1 ? { call } : { call, times, since };
  return { action: 'call.refused', at, source, apiKeyId: hasOneKey ? apiKeyId : null, refusal: code, changes };
}
