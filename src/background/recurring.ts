/**
 * Runs work at the start of the process and then at a fixed interval; `stop()` waits for a run in progress.
 */
export class Recurring {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  /** @param work must not reject */
  constructor(
    private readonly work: () => Promise<void>,
    private readonly intervalMs: number,
  ) {}

  start(): void {
    const run = () => {
      this.running = this.work();
    };
    this.timer = setInterval(run, this.intervalMs).unref();
    run();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }
}
