import type { Logger } from '@nestjs/common';

/** Interval at which a lasting outage is logged again. */
const REPEAT_AFTER_MS = 60_000;

/**
 * Logs an outage of a dependency in one line when it starts, one a minute while it lasts, and one on recovery, however
 * many attempts fail.
 */
export class OutageLog {
  private outage: { since: number; loggedAt: number; failures: number } | undefined;

  /** @param now monotonic milliseconds */
  constructor(
    private readonly logger: Pick<Logger, 'warn' | 'log'>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get isActive(): boolean {
    return this.outage !== undefined;
  }

  /** @param line says what is unavailable, why, and with what effect */
  failed(line: string): void {
    const now = this.now();
    if (this.outage === undefined) {
      this.outage = { since: now, loggedAt: now, failures: 1 };
      this.logger.warn(line);
      return;
    }
    this.outage.failures++;
    if (now - this.outage.loggedAt < REPEAT_AFTER_MS) return;
    this.outage.loggedAt = now;
    this.logger.warn(`${line} The outage has lasted ${this.summary()}.`);
  }

  /** Does nothing without an outage. @param line says what is available again */
  recovered(line: string): void {
    if (this.outage === undefined) return;
    this.logger.log(`${line} The outage lasted ${this.summary()}.`);
    this.outage = undefined;
  }

  private summary(): string {
    const { since = 0, failures = 0 } = this.outage ?? {};
    const seconds = Math.round((this.now() - since) / 1_000);
    return `${seconds} s, with ${failures} failed ${failures === 1 ? 'attempt' : 'attempts'}`;
  }
}
