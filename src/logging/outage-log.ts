import type { Logger } from '@nestjs/common';

/** What goes on being wrong is said again after so long. */
const REPEAT_AFTER_MS = 60_000;

/**
 * Says that something is away in one line when it goes, one a minute while it stays away, and one when it is back,
 * however much fails meanwhile.
 */
export class OutageLog {
  private outage: { since: number; saidAt: number; failures: number } | undefined;

  /** @param now steady milliseconds */
  constructor(
    private readonly logger: Pick<Logger, 'warn' | 'log'>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get isActive(): boolean {
    return this.outage !== undefined;
  }

  /** @param line what is away, why, and what that means */
  failed(line: string): void {
    const now = this.now();
    if (this.outage === undefined) {
      this.outage = { since: now, saidAt: now, failures: 1 };
      this.logger.warn(line);
      return;
    }
    this.outage.failures++;
    if (now - this.outage.saidAt < REPEAT_AFTER_MS) return;
    this.outage.saidAt = now;
    this.logger.warn(`${line} It has been so for ${this.summary()}.`);
  }

  /** Does nothing unless something has failed. @param line what is back */
  recovered(line: string): void {
    if (this.outage === undefined) return;
    this.logger.log(`${line} It took ${this.summary()}.`);
    this.outage = undefined;
  }

  private summary(): string {
    const { since = 0, failures = 0 } = this.outage ?? {};
    const seconds = Math.round((this.now() - since) / 1_000);
    return `${seconds} s, with ${failures} failed ${failures === 1 ? 'attempt' : 'attempts'}`;
  }
}
