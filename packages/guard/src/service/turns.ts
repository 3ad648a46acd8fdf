import { type Clock, elapsedMs, type Moment } from '../clock.js';
import { GuardUnavailableError } from '../unavailable-error.js';

const MAX_ACTIVE = 64;
const MAX_WAITING = 10_000;
/** Beyond this, the caller has probably timed out. */
const MAX_WAIT_MS = 2_000;

interface Waiter {
  readonly since: Moment;
  proceed(): void;
  fail(error: Error): void;
}

/**
 * Caps the questions that are asked at once. Of several that come for the same pair, the first is asked alone: its answer
 * may allow the guard to decide the others.
 */
export class Turns {
  private active = 0;
  private waiting = 0;
  private readonly queue: Waiter[] = [];
  private head = 0;
  /** The pairs that are asked about, by digest. */
  private readonly first = new Map<string, Promise<void>>();

  constructor(private readonly clock: Clock) {}

  /**
   * Runs a question in its turn.
   *
   * @param ask runs when it is its turn; it has to look whether it still has to ask
   * @throws GuardUnavailableError if too many wait, or if it has waited for too long
   */
  async run<T>(digest: string, ask: () => T | Promise<T>): Promise<T> {
    const first = this.first.get(digest);
    if (!first) return this.runFirst(digest, ask);
    await this.wait(() => first);
    return this.runBounded(ask);
  }

  private async runFirst<T>(digest: string, ask: () => T | Promise<T>): Promise<T> {
    const result = this.runBounded(ask);
    this.first.set(
      digest,
      result.then(
        () => undefined,
        () => undefined,
      ),
    );
    try {
      return await result;
    } finally {
      this.first.delete(digest);
    }
  }

  private async runBounded<T>(ask: () => T | Promise<T>): Promise<T> {
    if (this.active >= MAX_ACTIVE) await this.wait(() => this.slot());
    else this.active++;
    try {
      return await ask();
    } finally {
      this.release();
    }
  }

  private async wait(turn: () => Promise<void>): Promise<void> {
    if (this.waiting >= MAX_WAITING) throw new GuardUnavailableError('Too many verdicts are waited for.', 1);
    this.waiting++;
    try {
      await turn();
    } finally {
      this.waiting--;
    }
  }

  private slot(): Promise<void> {
    return new Promise((proceed, fail) => {
      this.queue.push({ since: this.clock.now(), proceed, fail });
    });
  }

  /** Passes the slot on to the next that has not waited for too long. */
  private release(): void {
    let waiter = this.dequeue();
    while (waiter && elapsedMs(waiter.since, this.clock.now()) > MAX_WAIT_MS) {
      waiter.fail(new GuardUnavailableError('The service is too slow for the number of questions.', 1));
      waiter = this.dequeue();
    }
    if (waiter) waiter.proceed();
    else this.active--;
  }

  private dequeue(): Waiter | undefined {
    const waiter = this.queue[this.head];
    if (!waiter) return undefined;
    this.head++;
    if (this.head >= MAX_ACTIVE && this.head * 2 >= this.queue.length) {
      this.queue.splice(0, this.head);
      this.head = 0;
    }
    return waiter;
  }
}
