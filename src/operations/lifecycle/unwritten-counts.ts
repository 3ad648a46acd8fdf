import { Injectable } from '@nestjs/common';
import { DeniedCallAudit } from '../../audit/denied-calls.js';
import { UsageLimiter } from '../../usage/usage-limiter.js';
import { UsageStatistics } from '../../usage/usage-statistics.js';

/** What was counted in memory and is not in the database: at the end, it is lost. */
@Injectable()
export class UnwrittenCounts {
  constructor(
    private readonly usageMeter: UsageLimiter,
    private readonly statistics: UsageStatistics,
    private readonly refusedCalls: DeniedCallAudit,
  ) {}

  /** In words; `undefined` where all is written. */
  get summary(): string | undefined {
    const counts = {
      'uses of keys without max_uses': this.usageMeter.unwritten,
      'verdicts in the statistics': this.statistics.unwritten,
      'refused calls in the audit trail': this.refusedCalls.unwritten,
    };
    const left = Object.entries(counts).filter(([, count]) => count > 0);
    return left.length === 0 ? undefined : left.map(([what, count]) => `${count} ${what}`).join(', ');
  }
}
