import { tooMany } from '../errors/api-error.js';

interface Limits {
  /** The number of slots of each key. */
  running: number;
  /** The number of callers that may wait for a slot of a key; further ones are rejected. */
  queued: number;
}

/** Gives a slot back. Further calls have no effect. */
export type Release = () => void;

interface Queue {
  running: number;
  readonly waiting: Waiter[];
}

interface Waiter {
  readonly since: number;
  readonly resolve: (release: Release) => void;
  readonly reject: (reason: Error) => void;
}

/**
 * Callers that have waited longer are rejected: the response would come too late to be of use. That is no fault of theirs,
 * but of whatever the callers before them waited for.
 */
const MAX_WAIT_MS = 10_000;

/**
 * Caps the concurrency of each key (an owner, an address). Callers over the cap wait in order of arrival; keys do not wait
 * for each other.
 */
export class KeyedConcurrency {
  private readonly queues = new Map<string, Queue>();

  /** @param rejection makes the error for callers that find the queue of their key full */
  constructor(
    private readonly limits: Limits,
    private readonly rejection: () => Error,
  ) {}

  /** Runs a task in a slot of the key. @throws as `acquire()`, and whatever the task throws */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const release = await this.acquire(key);
    try {
      return await task();
    } finally {
      release();
    }
  }

  /**
   * Waits for a slot of the key.
   *
   * @returns gives the slot back
   * @throws the error made by `rejection`; UnavailableError after too long a wait
   */
  async acquire(key: string): Promise<Release> {
    const queue = this.queues.get(key) ?? { running: 0, waiting: [] };
    this.queues.set(key, queue);
    if (queue.running < this.limits.running) {
      queue.running++;
      return this.releaseOf(key, queue);
    }
    if (queue.waiting.length >= this.limits.queued) throw this.rejection();
    return new Promise((resolve, reject) => queue.waiting.push({ since: performance.now(), resolve, reject }));
  }

  /** The number of keys with slots in use. */
  get size(): number {
    return this.queues.size;
  }

  private releaseOf(key: string, queue: Queue): Release {
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.passOn(key, queue);
    };
  }

  /** Passes a slot on to the next caller that has not waited too long, or frees it. */
  private passOn(key: string, queue: Queue): void {
    for (let next = queue.waiting.shift(); next; next = queue.waiting.shift()) {
      if (performance.now() - next.since <= MAX_WAIT_MS) return next.resolve(this.releaseOf(key, queue));
      next.reject(tooMany('The request has waited too long for those before it.'));
    }
    queue.running--;
    if (queue.running === 0) this.queues.delete(key);
  }
}
