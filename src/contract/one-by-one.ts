/**
 * Lets callers go on one by one, a single one in each iteration of the event loop, keys (addresses) in turn. However
 * many requests come at one moment, others that need the loop wait for one of them and not for all.
 */
export class OneByOne {
  /** In the order of the keys' turns: a `Map` keeps it. */
  private readonly waiting = new Map<string, (() => void)[]>();

  /** Resolves when it is the caller's turn: in this iteration of the loop at the earliest, after what it has read. */
  next(key: string): Promise<void> {
    if (this.waiting.size === 0) setImmediate(() => this.goOn());
    return new Promise((resolve) => {
      const queue = this.waiting.get(key);
      if (queue) queue.push(resolve);
      else this.waiting.set(key, [resolve]);
    });
  }

  private goOn(): void {
    for (const [key, queue] of this.waiting) {
      this.waiting.delete(key);
      queue.shift()?.();
      if (queue.length > 0) this.waiting.set(key, queue);
      break;
    }
    if (this.waiting.size > 0) setImmediate(() => this.goOn());
  }
}
