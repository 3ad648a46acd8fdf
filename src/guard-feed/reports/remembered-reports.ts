import { LRUCache } from 'lru-cache';

const MAX_GUARDS = 10_000;
/** Guards send a report each second, and repeat one only until it is answered. */
const MAX_REPORTS_PER_GUARD = 32;

/** The last reports of each guard, so that a repeated one is not counted twice. In memory: other processes do not know. */
export class RememberedReports {
  /** By guard: the number of accepted counts of its last reports, by `seq`; the oldest first. */
  private readonly guards = new LRUCache<string, Map<number, number>>({ max: MAX_GUARDS });

  /** The number of counts that were accepted of a report; `undefined` if it is not remembered. */
  acceptedOf(guard: string, seq: number): number | undefined {
    return this.guards.get(guard)?.get(seq);
  }

  add(guard: string, seq: number, accepted: number): void {
    let reports = this.guards.get(guard);
    if (!reports) this.guards.set(guard, (reports = new Map()));
    reports.set(seq, accepted);
    if (reports.size <= MAX_REPORTS_PER_GUARD) return;
    const [oldest] = reports.keys();
    reports.delete(oldest as number);
  }
}
