import { Injectable } from '@nestjs/common';
import { DeniedCallAudit } from '../../audit/denied-call-audit.js';
import { UsageLimiter } from '../../usage/usage-limiter.js';
import { UsageStatistics } from '../../usage/usage-statistics.js';

/** Counts in memory that are not in the database yet, and are lost if the process exits. */
@Injectable()
export class UnwrittenCounts {
  constructor(
    private readonly usageLimiter: UsageLimiter,
    private readonly statistics: UsageStatistics,
    private readonly deniedCalls: DeniedCallAudit,
  ) {}

  /** A description of the counts; `undefined` if everything is written. */
  get summary(): string | undefined {
    const counts = {
      'uses of keys without max_uses': this.usageLimiter.unwritten,
      'verdicts in the statistics': this.statistics.unwritten,
      'denied calls in the audit trail': this.deniedCalls.unwritten,
    };
    const left = Object.entries(counts).filter(([, count]) => count > 0);
    return left.length === 0 ? undefined : left.map(([what, count]) => `${count} ${what}`).join(', ');
  }
}
