type Queue = (() => void)[];

/**
 * Lets one request proceed in each iteration of the event loop: networks take turns, and within a network its callers. In
 * a burst, other work that needs the loop waits for one request instead of all of them.
 */
export class RoundRobin {
  /** By network and caller, in the order of their turns. */
  private readonly waiting = new Map<string, Map<string, Queue>>();

  /** Resolves when it is the caller's turn: at the earliest after this iteration of the loop has read its sockets. */
  waitForTurn(network: string, caller: string): Promise<void> {
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
    // To the back of the queue
    if (queue.length > 0) callers.set(caller, queue);
    if (callers.size > 0) this.waiting.set(network, callers);
    if (this.waiting.size > 0) setImmediate(() => this.dispatch());
  }
}

function takeFirst<T>(map: Map<string, T>): [string, T] {
  const [first] = map as Iterable<[string, T]>;
  if (!first) throw new Error('no request is waiting');
  map.delete(first[0]);
  return first;
}
