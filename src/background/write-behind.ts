import { inBackground } from './background.js';

const FLUSH_INTERVAL_MS = 1_000;

/**
 * Writes what was counted in memory: each second, and once more at the end. One write at a time: while the
 * database does not answer, they must not queue up behind each other.
 */
export class WriteBehind {
  private writing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** @param write writes all that there is, keeps what it cannot write for the next time, and never fails */
  constructor(private readonly write: () => Promise<void>) {}

  start(): void {
    this.timer = setInterval(() => inBackground('Writing what was counted', this.flush()), FLUSH_INTERVAL_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.writing;
    await this.flush();
  }

  /** Writes now, unless it is being written already. */
  flush(): Promise<void> {
    this.writing ??= this.write().finally(() => (this.writing = undefined));
    return this.writing;
  }
}
