import type { Clock, Moment } from '../clock.js';
import type { Grant } from '../knowledge/grant.js';
import type { ServiceClient } from '../service/service-client.js';
import { type LocalCode, Tally } from './tally.js';

const INTERVAL_MS = 1_000;
const LIMIT_MS = 1_000;
const MAX_COUNTS = 1_000;
const MAX_HELD_KEYS = 10_000;
/** Between attempts to send the last reports. */
const RETRY_MS = 50;
/** After these, the same report is sent again; after any other answer it is not. */
const REPEATABLE = new Set([401, 503]);

/** A report as it was first sent: to be repeated as it is, or the service would count it again. */
interface Report {
  readonly body: string;
  readonly verdicts: number;
}

/** Tells the service, each second, what was decided here: it counts the usage. */
export class Reporter {
  /** Verdicts that the service has counted, and those that it never will. */
  reported = 0;
  unreported = 0;
  private seq = 0;
  /** The grants with a tally. */
  private readonly tallied = new Set<Grant>();
  private unconfirmed: Report | undefined;
  /** By the steady clock: the service asked not to be sent reports until then. */
  private notBefore = 0;
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<boolean> | undefined;

  /** @param guard a random id of this process's guard: 22 characters of base64url */
  constructor(
    private readonly guard: string,
    private readonly client: ServiceClient,
    private readonly clock: Clock,
    private readonly onRefused: () => void,
  ) {}

  /** Counts a decision. */
  count(grant: Grant, code: LocalCode, now: Moment, ip: string | undefined): void {
    const tally = grant.tally ?? this.open(grant);
    if (tally) tally.add(code, now.steady, grant.isPrevious ? ip : undefined);
    else this.unreported++;
  }

  /** Sends pending reports for at most `limitMs`, then drops the rest. */
  async close(limitMs: number): Promise<void> {
    clearInterval(this.timer);
    const end = this.clock.now().steady + limitMs;
    let leftMs = limitMs;
    while (leftMs > 0 && (this.unconfirmed || this.tallied.size > 0)) {
      if (!(await this.send(leftMs, false))) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      leftMs = end - this.clock.now().steady;
    }
    while (this.unconfirmed || this.tallied.size > 0) this.drop();
  }

  private open(grant: Grant): Tally | undefined {
    if (this.tallied.size >= MAX_HELD_KEYS) return undefined;
    this.tallied.add(grant);
    this.timer ??= setInterval(() => this.sendDue(), INTERVAL_MS).unref();
    return (grant.tally = new Tally(grant.keyId, grant.isPrevious ? 'previous' : 'current'));
  }

  private sendDue(): void {
    if (this.clock.now().steady < this.notBefore || this.sending) return;
    this.sending = this.sendAll().finally(() => {
      this.sending = undefined;
    });
  }

  private async sendAll(): Promise<boolean> {
    while (this.unconfirmed || this.tallied.size > 0) if (!(await this.send(LIMIT_MS, true))) return false;
    return true;
  }

  /** @returns whether there is one report less to send */
  private async send(limitMs: number, isBackground: boolean): Promise<boolean> {
    const report = (this.unconfirmed ??= this.compose());
    const request = { method: 'POST', path: '/reports', body: report.body, limitMs, isBackground } as const;
    const answer = await this.client.send(request).catch(() => undefined);
    // Closed meanwhile
    if (this.unconfirmed !== report) return true;
    if (answer === undefined || REPEATABLE.has(answer.status)) {
      if (answer?.status === 401) this.onRefused();
      if (answer?.status === 503) this.notBefore = this.clock.now().steady + answer.retryAfterSeconds * 1_000;
      return false;
    }
    if (answer.status === 202) this.reported += report.verdicts;
    else this.unreported += report.verdicts;
    this.unconfirmed = undefined;
    return true;
  }

  private drop(): void {
    this.unreported += (this.unconfirmed ?? this.compose()).verdicts;
    this.unconfirmed = undefined;
  }

  private compose(): Report {
    const counts: object[] = [];
    const now = this.clock.now().steady;
    let verdicts = 0;
    for (const grant of this.tallied) {
      const tallied = grant.tally?.countsAt(now) ?? [];
      if (counts.length + tallied.length > MAX_COUNTS) break;
      for (const count of tallied) verdicts += count.n;
      counts.push(...tallied);
      grant.tally = undefined;
      this.tallied.delete(grant);
    }
    return { body: JSON.stringify({ guard: this.guard, seq: ++this.seq, counts }), verdicts };
  }
}
