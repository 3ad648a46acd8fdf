import { REFUSALS } from '../decision/index.js';
import type { GuardStats, GuardVerdict } from '../types.js';

/** Counts verdicts. */
export class Statistics {
  readonly decided: GuardStats['decided'] = { local: 0, remote: 0, stale: 0, unavailable: 0 };
  readonly verdicts: GuardStats['verdicts'] = Object.fromEntries(['VALID', ...REFUSALS].map((code) => [code, 0]));
  readonly notKept: GuardStats['notKept'] = {};

  count(verdict: GuardVerdict): GuardVerdict {
    this.decided[verdict.source]++;
    const code = verdict.code in this.verdicts ? verdict.code : 'other';
    this.verdicts[code] = (this.verdicts[code] ?? 0) + 1;
    return verdict;
  }

  countNotKept(because: string): void {
    this.notKept[because] = (this.notKept[because] ?? 0) + 1;
  }
}
