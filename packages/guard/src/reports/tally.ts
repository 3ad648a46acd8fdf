import type { Refusal } from '../decision/index.js';

/** The codes of decisions that a guard takes by itself on known keys. */
export type LocalCode = 'VALID' | Extract<Refusal, 'INSUFFICIENT_SCOPE' | 'IP_NOT_ALLOWED'>;

/** What was decided on a key with one code. */
interface CodeTally {
  n: number;
  /** By the steady clock, in milliseconds. */
  lastAt: number;
  /** The client's last address, if it is known and the previous secret was used. */
  ip: string | undefined;
}

/** The same, as it is reported. */
interface WireCount {
  key_id: string;
  which: 'current' | 'previous';
  code: string;
  n: number;
  last_ms_ago: number;
  ip?: string;
}

/** The most that one count may say. */
const MAX_N = 10_000_000;

/** What was decided on a key since the last report. */
export class Tally {
  private readonly byCode: Record<LocalCode, CodeTally | undefined> = {
    VALID: undefined,
    INSUFFICIENT_SCOPE: undefined,
    IP_NOT_ALLOWED: undefined,
  };

  constructor(
    private readonly keyId: string,
    private readonly which: 'current' | 'previous',
  ) {}

  /** @param now by the steady clock */
  add(code: LocalCode, now: number, ip: string | undefined): void {
    const tally = (this.byCode[code] ??= { n: 0, lastAt: now, ip });
    tally.n++;
    tally.lastAt = now;
    if (ip !== undefined) tally.ip = ip;
  }

  /** What to report at a moment of the steady clock. */
  countsAt(now: number): WireCount[] {
    const { keyId, which } = this;
    return Object.entries(this.byCode).flatMap(([code, tally]) => {
      if (!tally) return [];
      const { n, lastAt, ip } = tally;
      const count = {
        key_id: keyId,
        which,
        code,
        last_ms_ago: Math.max(0, Math.round(now - lastAt)),
        ...(ip && { ip }),
      };
      return Array.from({ length: Math.ceil(n / MAX_N) }, (_, i) => ({ ...count, n: Math.min(MAX_N, n - i * MAX_N) }));
    });
  }
}
