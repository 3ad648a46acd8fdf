import { inBackground } from './background.js';

const FLUSH_INTERVAL_MS = 1_000;

/**
 * Write-behind of counts kept in memory: flushes each second, and once on `stop()`. One write at a time, so that writes
 * do not queue up while the database is unavailable.
 */
export class WriteBehind {
  private writing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** @param write writes everything, keeps what it cannot write for the next flush, and must not reject */
  constructor(private readonly write: () => Promise<void>) {}

  start(): void {
    this.timer = setInterval(() => inBackground('Flushing counts', this.flush()), FLUSH_INTERVAL_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.writing;
    await this.flush();
  }

  /** Flushes now, or joins the flush in progress. */
  flush(): Promise<void> {
    this.writing ??= this.write().finally(() => (this.writing = undefined));
    return this.writing;
  }
}
