/** Delays that double up to a maximum, in milliseconds. */
export class Backoff {
  private nextDelayMs: number;

  constructor(
    private readonly firstMs = 50,
    private readonly maxMs = 1_000,
    private readonly random: () => number = Math.random,
  ) {
    this.nextDelayMs = firstMs;
  }

  /** The next delay, between a half and the whole of it, so that guards do not ask in step. */
  nextMs(): number {
    const delayMs = this.nextDelayMs;
    this.nextDelayMs = Math.min(this.maxMs, 2 * delayMs);
    return delayMs * (0.5 + this.random() / 2);
  }

  reset(): void {
    this.nextDelayMs = this.firstMs;
  }
}
