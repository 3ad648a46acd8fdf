interface Limits {
  /** How many turns one key has at once. */
  running: number;
  /** How many callers may wait for one under a key; further ones are refused. */
  queued: number;
}

/** Ends a turn. */
export type Release = () => void;

interface Queue {
  running: number;
  readonly waiting: Waiter[];
}

interface Waiter {
  readonly since: number;
  readonly resolve: (release: Release) => void;
  readonly reject: (refusal: Error) => void;
}

/** Whoever has waited longer is refused: the answer would come too late to be of use. */
const MAX_WAIT_MS = 10_000;

/**
 * Gives each key (an owner, an address) a share of what all use: so many turns at once. Callers of one key wait for
 * theirs in their order; keys do not wait for each other.
 */
export class KeyedConcurrency {
  private readonly queues = new Map<string, Queue>();

  /** @param refuse makes what is thrown at whoever finds too many waiting under its key, or has waited for too long */
  constructor(
    private readonly limits: Limits,
    private readonly refuse: () => Error,
  ) {}

  /** Does a work when it is its turn. @throws as `take()` does, and what the work throws */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const release = await this.acquire(key);
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** @returns what ends the turn @throws what `refuse` makes */
  async acquire(key: string): Promise<Release> {
    const queue = this.queues.get(key) ?? { running: 0, waiting: [] };
    this.queues.set(key, queue);
    if (queue.running < this.limits.running) {
      queue.running++;
      return this.releaseOf(key, queue);
    }
    if (queue.waiting.length >= this.limits.queued) throw this.refuse();
    return new Promise((resolve, reject) => queue.waiting.push({ since: performance.now(), resolve, reject }));
  }

  /** How many keys have turns. */
  get size(): number {
    return this.queues.size;
  }

  private releaseOf(key: string, queue: Queue): Release {
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.releaseNext(key, queue);
    };
  }

  /** The next one gets the turn, or nobody. */
  private releaseNext(key: string, queue: Queue): void {
    for (let next = queue.waiting.shift(); next; next = queue.waiting.shift()) {
      if (performance.now() - next.since <= MAX_WAIT_MS) return next.resolve(this.releaseOf(key, queue));
      next.reject(this.refuse());
    }
    queue.running--;
    if (queue.running === 0) this.queues.delete(key);
  }
}
