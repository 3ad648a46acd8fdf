type Queue = (() => void)[];

/**
 * Lets requests go on one by one, a single one in each iteration of the event loop: networks in turn, and in a network
 * callers in turn. However many come at one moment, others that need the loop wait for one of them and not for all.
 */
export class RoundRobin {
  /** By network and caller, in the order of their turns: a `Map` keeps it. */
  private readonly waiting = new Map<string, Map<string, Queue>>();

  /** Resolves when it is the caller's turn: in this iteration of the loop at the earliest, after what it has read. */
  turn(network: string, caller: string): Promise<void> {
    if (this.waiting.size === 0) setImmediate(() => this.dispatch());
    return new Promise((resolve) => {
      const callers = this.waiting.get(network) ?? new Map<string, Queue>();
      this.waiting.set(network, callers);
      const queue = callers.get(caller);
      if (queue) queue.push(resolve);
      else callers.set(caller, [resolve]);
    });
  }

  private dispatch(): void {
    const [network, callers] = takeFirst(this.waiting);
    const [caller, queue] = takeFirst(callers);
    queue.shift()?.();
    // Behind all others
    if (queue.length > 0) callers.set(caller, queue);
    if (callers.size > 0) this.waiting.set(network, callers);
    if (this.waiting.size > 0) setImmediate(() => this.dispatch());
  }
}

function takeFirst<T>(map: Map<string, T>): [string, T] {
  const [first] = map as Iterable<[string, T]>;
  if (!first) throw new Error('nobody waits');
  map.delete(first[0]);
  return first;
}
