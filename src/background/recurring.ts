/**
 * Work that a process does at its start and every so often from then on; at the end, what is under way is waited for.
 */
export class Recurring {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  /** @param work never fails */
  constructor(
    private readonly work: () => Promise<void>,
    private readonly everyMs: number,
  ) {}

  start(): void {
    const run = () => {
      this.running = this.work();
    };
    this.timer = setInterval(run, this.everyMs).unref();
    run();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }
}
