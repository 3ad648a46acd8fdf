const TICK_MS = 50;

interface LoopTimer {
  ticksLeft: number;
  callback: () => void;
}

const timers = new Set<LoopTimer>();
let ticker: NodeJS.Timeout | undefined;
let isTicking = false;

/**
 * Calls back after that much time in which the event loop was running, rounded up to a tick of 50 ms.
 *
 * A process that was stopped (SIGSTOP, a suspended machine) or busy resumes with overdue timers and unread sockets: an
 * ordinary timer would fire before an answer that has long arrived is read. Here each tick counts once however late it
 * is, and only after a poll phase of the event loop.
 *
 * @returns a function that cancels the timer
 */
export function afterLoopTime(milliseconds: number, callback: () => void): () => void {
  // One more, since the next tick may be imminent
  const loopTimer = { ticksLeft: Math.ceil(milliseconds / TICK_MS) + 1, callback };
  timers.add(loopTimer);
  ticker ??= setInterval(tick, TICK_MS);
  return () => {
    timers.delete(loopTimer);
    stopWhenIdle();
  };
}

function tick(): void {
  if (isTicking) return;
  isTicking = true;
  // Sockets are read between timers and immediates
  setImmediate(() => {
    isTicking = false;
    for (const loopTimer of timers) if (--loopTimer.ticksLeft <= 0) expire(loopTimer);
    stopWhenIdle();
  });
}

function expire(loopTimer: LoopTimer): void {
  timers.delete(loopTimer);
  loopTimer.callback();
}

function stopWhenIdle(): void {
  if (timers.size > 0) return;
  clearInterval(ticker);
  ticker = undefined;
}
