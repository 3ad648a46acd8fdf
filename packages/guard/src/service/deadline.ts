const STEPS = 4;

/**
 * Calls back after a time in which the event loop was running. A process that was stopped (SIGSTOP, a suspended machine)
 * or busy resumes with overdue timers and unread sockets: an ordinary timer would fire before an answer that has long
 * arrived is read. Here the time passes in steps; after a late one comes one more, and sockets are read before the last.
 *
 * The timers do not keep the process alive.
 *
 * @returns a function that cancels the deadline
 */
export function startDeadline(milliseconds: number, callback: () => void): () => void {
  const stepMs = milliseconds / STEPS;
  let left = STEPS;
  let wasLate = false;
  let dueAt = performance.now() + stepMs;
  let timer = setTimeout(step, stepMs).unref();
  let isCancelled = false;

  function step(): void {
    const now = performance.now();
    if (!wasLate && now - dueAt > stepMs) {
      wasLate = true;
      left++;
    }
    if (--left > 0) {
      dueAt = now + stepMs;
      timer = setTimeout(step, stepMs).unref();
      return;
    }
    // Sockets are read between timers and immediates
    setImmediate(() => {
      if (!isCancelled) callback();
    });
  }

  return () => {
    isCancelled = true;
    clearTimeout(timer);
  };
}
