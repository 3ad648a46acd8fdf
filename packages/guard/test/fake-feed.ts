import { setTimeout as sleep } from 'node:timers/promises';
import { changeHandle } from '../src/decision/index.js';

/** The changes, as a process of the service knows them. */
export class FakeFeed {
  epoch = 'epoch-1';
  /** The next transaction's id. */
  position = 1_000n;
  /** Long, so that no pause of a busy machine makes guards stale in tests of something else. */
  boundMs = 60_000;
  /** The age of what it knows. */
  ageMs = 5;
  /** For how long something on the way holds each answer. */
  delayMs = 0;
  /** Whether the next position is answered with 410. */
  isExpired = false;
  /** Whether a transaction is under way for long: positions do not move. */
  isStuck = false;
  /** How many questions were answered. */
  answered = 0;
  private readonly changes: { h: string; at: bigint }[] = [];
  private readonly waiters = new Set<() => void>();

  commit(apiKey: string): void {
    this.changes.push({ h: this.hashOf(apiKey), at: this.position });
    if (!this.isStuck) this.position++;
    for (const wake of this.waiters) wake();
  }

  hashOf(apiKey: string): string {
    return changeHandle(apiKey);
  }

  async answer(query: URLSearchParams): Promise<{ status: number; data: unknown }> {
    const since = query.has('since') ? BigInt(query.get('since') ?? '') : undefined;
    const epoch = query.get('epoch') ?? this.epoch;
    if (since !== undefined && this.isExpired) {
      this.isExpired = false;
      const error = { code: 'position_expired', message: 'This position is too old.' };
      return { status: 410, data: { status: 'error', error, request_id: 'r' } };
    }
    const began = performance.now();
    const isKnown = since === undefined || epoch !== this.epoch;
    if (!isKnown && this.since(since).length === 0) await this.held(Number(query.get('wait_ms')));
    const changed = isKnown ? [] : this.since(since);
    const heldMs = Math.floor(performance.now() - began);
    this.answered++;
    const { boundMs, ageMs, position } = this;
    if (this.delayMs > 0) await sleep(this.delayMs);
    const times = { age_ms: ageMs, held_ms: heldMs, bound_ms: boundMs };
    return { status: 200, data: { epoch: this.epoch, position: String(position), ...times, changed } };
  }

  private since(since: bigint) {
    return this.changes.filter(({ at }) => at >= since).map(({ h, at }) => ({ h, at: String(at) }));
  }

  /** Waits for a change, or for so long. */
  private held(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.waiters.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      this.waiters.add(wake);
    });
  }
}
