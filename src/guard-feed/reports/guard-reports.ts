import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { tooMany } from '../../http/errors/api-error.js';
import { UsageLimiter } from '../../usage/usage-limiter.js';
import { UsageStatistics } from '../../usage/usage-statistics.js';
import { PreviousSecretUses } from '../../verification/previous-secret-uses.js';
import { type GuardReport, REPORTED_CODES, type ReportedCode, type ReportedCount } from './guard-report.js';
import { RememberedReports } from './remembered-reports.js';
import { type ReportedKey, ReportedKeys } from './reported-keys.js';

/** A verdict that is reported later counts as one of that time ago: older days are closed. */
const MAX_AGE_MS = 86_400_000;

/**
 * Adds what guards decided to the statistics of the keys, as `Verifier` does for its own verdicts. Written every second:
 * like these, an accepted report may lose the last second.
 */
@Injectable()
export class GuardReports {
  /** The number of reported verdicts, by code. */
  readonly verdicts = Object.fromEntries(REPORTED_CODES.map((code) => [code, 0])) as Record<ReportedCode, number>;
  /** The number of reports, by what became of them. */
  readonly reports = { counted: 0, repeated: 0 };
  /** The number of reported verdicts on keys that do not exist. */
  unknownKeys = 0;

  private readonly remembered = new RememberedReports();

  constructor(
    private readonly keys: ReportedKeys,
    private readonly usageLimiter: UsageLimiter,
    private readonly statistics: UsageStatistics,
    private readonly previousSecretUses: PreviousSecretUses,
    private readonly clock: Clock,
  ) {}

  /**
   * Counts a report once for as long as it is remembered. Counts of keys that do not exist are ignored.
   *
   * @returns the number of accepted counts
   * @throws UnavailableError if too many counts wait to be written; the database's errors. Nothing is counted then
   */
  async add(service: string, { guard, seq, counts }: GuardReport): Promise<number> {
    const sender = `${service} ${guard}`;
    const receivedAt = this.clock.now();
    const before = this.remembered.acceptedOf(sender, seq);
    if (before !== undefined) return this.repeat(before);
    const keys = await this.keys.find(counts.map(({ keyId }) => keyId));
    // Sent twice at once, it may have been counted while the keys were read
    const meanwhile = this.remembered.acceptedOf(sender, seq);
    if (meanwhile !== undefined) return this.repeat(meanwhile);
    this.assertRoomFor(counts.length);
    const accepted = counts.filter((count) => this.count(count, keys.get(count.keyId), receivedAt)).length;
    this.remembered.add(sender, seq, accepted);
    this.reports.counted++;
    return accepted;
  }

  private repeat(accepted: number): number {
    this.reports.repeated++;
    return accepted;
  }

  private assertRoomFor(counts: number): void {
    if (!this.usageLimiter.hasRoomFor(counts) || !this.statistics.hasRoomFor(counts))
      throw tooMany('Too many counts are waiting to be written.');
  }

  /** @returns whether the key exists */
  private count(count: ReportedCount, key: ReportedKey | undefined, receivedAt: number): boolean {
    const { keyId, code, times } = count;
    if (!key) this.unknownKeys += times;
    if (!key) return false;
    const lastAt = receivedAt - Math.min(count.lastMsAgo, MAX_AGE_MS);
    this.verdicts[code] += times;
    this.statistics.countAt(lastAt, keyId, code, times);
    // Uses of a limited key are granted here alone: a report must not use up a key whose secret the service never saw
    if (code === 'VALID') this.usageLimiter.countAt(lastAt, keyId, key.hasMaxUses ? 0 : times);
    if (count.secretKind === 'previous' && code !== 'EXPIRED' && key.previousSecretHash !== null)
      this.previousSecretUses.record({ id: keyId, storedHash: key.previousSecretHash }, lastAt);
    return true;
  }
}
