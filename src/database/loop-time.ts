const TICK_MS = 50;

interface LoopTimer {
  ticksLeft: number;
  callback: () => void;
}

const timers = new Set<LoopTimer>();
let ticker: NodeJS.Timeout | undefined;
let isTicking = false;

/**
 * Calls back after so much time in which this process's event loop was alive, to the tick of 50 ms after it.
 *
 * A process that was stopped (SIGSTOP, a suspended machine) or kept busy wakes up with its timers overdue and its
 * sockets unread: an ordinary timer then fires before the answer that has long arrived is read. Here each tick counts
 * once however late it is, and only after a poll phase of the event loop has passed.
 *
 * @returns cancels it
 */
export function afterLoopTime(milliseconds: number, callback: () => void): () => void {
  // One more, since the first may be about to come
  const one = { ticksLeft: Math.ceil(milliseconds / TICK_MS) + 1, callback };
  timers.add(one);
  ticker ??= setInterval(tick, TICK_MS);
  return () => {
    timers.delete(one);
    stopWhenIdle();
  };
}

function tick(): void {
  if (isTicking) return;
  isTicking = true;
  // Sockets are read between timers and immediates
  setImmediate(() => {
    isTicking = false;
    for (const one of timers) if (--one.ticksLeft <= 0) expire(one);
    stopWhenIdle();
  });
}

function expire(one: LoopTimer): void {
  timers.delete(one);
  one.callback();
}

function stopWhenIdle(): void {
  if (timers.size > 0) return;
  clearInterval(ticker);
  ticker = undefined;
}
