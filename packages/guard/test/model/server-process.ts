import type { ChangesAnswer } from '../../src/knowledge/questions.js';
import type { Commit, ModelDatabase } from './database.js';

export const BOUND_MS = 1_000;
export const POLL_MS = 200;
/** For how long a process decides by its cache after its last poll. */
const FRESH_MS = 0.9 * BOUND_MS;

/** What a process says of a key, and how much it knew. */
export interface ModelVerdict {
  readonly enabled: boolean;
  readonly position: bigint;
  readonly epoch: string;
}

/**
 * A process of the service: it caches keys, and learns of changes by polls and by notifications. Other clients ask it about
 * all keys all the time, so that a key is cached again as soon as a change was learnt.
 */
export class ModelProcess {
  polls = true;
  private polledAt = 0;
  private epoch = 0;
  private oldest = 0;
  /** The commits that it has read. */
  private read: readonly Commit[] = [];
  /** Keys that it was notified of since its last poll, with the transaction if the notification carries it. */
  private notified: { key: number; id: number | null }[] = [];
  private readonly cache = new Map<number, boolean>();

  constructor(
    private readonly database: ModelDatabase,
    now: number,
  ) {
    this.poll(now);
  }

  pollIfDue(now: number): void {
    if (this.polls && now - this.polledAt >= POLL_MS) this.poll(now);
  }

  poll(now: number): void {
    const { epoch, commits, oldest } = this.database;
    if (epoch !== this.epoch) this.cache.clear();
    for (const commit of commits) if (!this.read.includes(commit)) this.cache.delete(commit.key);
    Object.assign(this, { polledAt: now, epoch, oldest, read: [...commits], notified: [] });
    this.warm();
  }

  /** A notification from the database that it has polled last; one from another state tells nothing more. */
  notify({ key, id }: Commit, isDated: boolean): void {
    this.cache.delete(key);
    this.warm();
    if (this.read.some((commit) => commit.id === id) && isDated) return;
    this.notified.push({ key, id: isDated ? id : null });
  }

  verdictOn(key: number, now: number): ModelVerdict {
    const position = BigInt(this.oldest);
    const isFresh = now - this.polledAt < FRESH_MS;
    const enabled = (isFresh ? this.cache.get(key) : undefined) ?? this.database.isEnabled(key);
    return { enabled, position, epoch: String(this.epoch) };
  }

  /** The answer to a question that it received at a time. */
  changesSince(since: bigint | undefined, epoch: string | undefined, receivedAt: number, now: number): ChangesAnswer {
    const isComparable = since !== undefined && epoch === String(this.epoch);
    return {
      epoch: String(this.epoch),
      position: BigInt(this.oldest),
      ageMs: now - this.polledAt,
      heldMs: now - receivedAt,
      boundMs: BOUND_MS,
      changed: isComparable ? this.changed(since) : [],
    };
  }

  private warm(): void {
    for (let key = 0; key < this.database.keys; key++)
      if (!this.cache.has(key)) this.cache.set(key, this.database.isEnabled(key));
  }

  private changed(since: bigint): ChangesAnswer['changed'] {
    const dated = this.read.map(({ key, id }) => ({ keyHash: String(key), at: BigInt(id) }));
    const notified = this.notified.map(({ key, id }) => ({
      keyHash: String(key),
      at: id === null ? null : BigInt(id),
    }));
    return [...dated, ...notified].filter(({ at }) => at === null || at >= since);
  }
}
