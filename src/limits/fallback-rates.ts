import { LRUCache } from 'lru-cache';
import type { RateLimit } from '../principals/key-limits.js';
import type { Clock } from '../clock.js';
import { heapBytesOf } from './heap-bytes.js';
import type { InProcessRateLimiter } from './in-process-rate-limiter.js';
import type { RateDecision } from './rate-limiter.js';
import type { WindowResult } from './sliding-window.js';

/** The state of a key that Redis last reported. */
interface RedisReport {
  limit: RateLimit;
  /** The cost that counted. */
  used: number;
  /** When all of it has expired, by the steady clock. */
  resetAt: number;
  /** Identifies the window: a new window of the key has another start. */
  startedAt: number;
}

const NO_REPORT = [0, 0, 0] as const;

/** The cost granted for a key without Redis and not yet reported to it. */
export interface UnreportedGrant {
  readonly limit: RateLimit;
  cost: number;
  /** The time of the latest grant, by the steady clock. */
  at: number;
}

const MEBIBYTE = 1_048_576;
/** Reports of the least recently used keys beyond this are evicted. */
const REPORTS_BYTES = 32 * MEBIBYTE;
const UNREPORTED_BYTES = 32 * MEBIBYTE;
/** A report or an unreported grant, with its cache entry. */
const RECORD_BYTES = 200;

/**
 * Decides in this process while Redis is unavailable, so that all processes together still grant at most the limit:
 * each grants its share of what was left at Redis's last report of the key, or of the whole limit if there is none.
 */
export class FallbackRates {
  private readonly reports = boundedBy<RedisReport>(REPORTS_BYTES);
  private unreported = boundedBy<UnreportedGrant>(UNREPORTED_BYTES);

  /** @param processes returns the number of processes that share the limits */
  constructor(
    private readonly local: InProcessRateLimiter,
    private readonly processes: () => number,
    private readonly clock: Clock,
  ) {}

  get bytes(): number {
    return this.local.bytes + this.reports.calculatedSize + this.unreported.calculatedSize;
  }

  recordReport(key: string, limit: RateLimit, { remaining, resetMs }: WindowResult, startedAt: number): void {
    const latest = { limit, used: limit.requests - remaining, resetAt: this.clock.steady() + resetMs, startedAt };
    const report = this.reports.get(key);
    if (report) Object.assign(report, latest);
    else this.reports.set(key, latest);
  }

  /** The state to restore if Redis has lost the key: the cost that counted, for how many ms more, and its window. */
  lastReport(key: string): readonly [used: number, resetMs: number, startedAt: number] {
    const report = this.reports.get(key);
    const resetMs = report ? Math.floor(report.resetAt - this.clock.steady()) : 0;
    return report && resetMs > 0 ? [report.used, resetMs, report.startedAt] : NO_REPORT;
  }

  /** At most `max` keys for which a cost still counts by Redis's last report; the most recently used first. */
  keysInUse(max: number): [key: string, limit: RateLimit][] {
    const now = this.clock.steady();
    const inUse = [...this.reports.entries()].filter(([, { used, resetAt }]) => used > 0 && resetAt > now);
    return inUse.slice(0, max).map(([key, { limit }]) => [key, limit]);
  }

  /** @throws UnavailableError if memory is exhausted */
  take(key: string, limit: RateLimit, cost: number, owner?: string): RateDecision {
    const share = this.shareOf(limit.requests);
    const localLimit = { requests: Math.max(1, share), windowSeconds: limit.windowSeconds };
    this.chargeOthers(key, limit, localLimit, owner);
    const decision = this.local.take(key, localLimit, cost, owner);
    if (!decision.granted || cost === 0) return { ...decision, limit: limit.requests };
    const grant = this.addUnreported(key, limit, cost, this.clock.steady());
    let isCharged = true;
    const refund = () => {
      if (isCharged) grant.cost -= cost;
      isCharged = false;
      return decision.refund();
    };
    return { ...decision, limit: limit.requests, refund };
  }

  /** Removes and returns the grants since the last call that still count, by key. */
  drainUnreported(): [key: string, grant: UnreportedGrant][] {
    const now = this.clock.steady();
    const drained = [...this.unreported.entries()].filter(
      ([, { cost, at, limit }]) => cost > 0 && now - at < limit.windowSeconds * 1_010,
    );
    this.unreported = boundedBy<UnreportedGrant>(UNREPORTED_BYTES);
    return drained;
  }

  /** Keeps grants that may not have reached Redis for another report: counting one twice is safer than never. */
  restoreUnreported(grants: readonly [key: string, grant: UnreportedGrant][]): void {
    for (const [key, { limit, cost, at }] of grants) this.addUnreported(key, limit, cost, at);
  }

  /** Drops the local counts once Redis has them. */
  clear(): void {
    this.local.clear();
  }

  /** Opens a key's first local window by charging everything but this process's share of what Redis last reported left. */
  private chargeOthers(key: string, { requests }: RateLimit, localLimit: RateLimit, owner: string | undefined): void {
    if (this.local.has(key)) return;
    const report = this.reports.get(key);
    if (!report || report.resetAt <= this.clock.steady()) return;
    const left = this.shareOf(Math.max(0, requests - report.used));
    if (left >= localLimit.requests) return;
    this.local.charge(key, localLimit, localLimit.requests - left, report.resetAt, owner);
  }

  private shareOf(amount: number): number {
    return Math.floor(amount / this.processes());
  }

  private addUnreported(key: string, limit: RateLimit, cost: number, at: number): UnreportedGrant {
    const known = this.unreported.get(key);
    const grant = known ?? { limit, cost: 0, at };
    grant.cost += cost;
    grant.at = Math.max(grant.at, at);
    if (!known) this.unreported.set(key, grant);
    return grant;
  }
}

function boundedBy<T extends object>(maxSize: number): LRUCache<string, T> {
  return new LRUCache({ maxSize, sizeCalculation: (_, key) => RECORD_BYTES + heapBytesOf(key) });
}
