import { UnavailableError } from '../../http/errors/api-error.js';

const MAX_WAITING = 2_000;
/** Changes that arrive together are sent together: each answer costs a round trip. */
const TOGETHER_MS = 5;
const MIN_RETRY_SECONDS = 1;
const RETRY_SPREAD_SECONDS = 4;

/** Requests that wait for something to happen, each for its own time at most. */
export class Waiters {
  private readonly waiting = new Set<() => void>();
  private waking: NodeJS.Timeout | undefined;

  get count(): number {
    return this.waiting.size;
  }

  /**
   * Resolves after `wake()`, or after that time.
   *
   * @throws UnavailableError if 2,000 are waiting
   */
  wait(milliseconds: number): Promise<void> {
    if (this.waiting.size >= MAX_WAITING) throw tooManyGuards();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      this.waiting.add(wake);
    });
  }

  /** Wakes all who wait, in a moment. */
  wake(): void {
    this.waking ??= setTimeout(() => this.wakeNow(), TOGETHER_MS);
  }

  wakeNow(): void {
    clearTimeout(this.waking);
    this.waking = undefined;
    for (const wake of this.waiting) wake();
  }
}

/** Guards that are refused together must not come back together. */
function tooManyGuards(): UnavailableError {
  const retryAfterSeconds = MIN_RETRY_SECONDS + Math.floor(Math.random() * RETRY_SPREAD_SECONDS);
  return new UnavailableError('Too many guards are waiting for changes.', { retryAfterSeconds });
}
