import { Injectable } from '@nestjs/common';
import { GuardReports } from '../../guard-feed/reports/guard-reports.js';
import { Metrics } from './metrics.js';

/** Metrics of guards: what they decided in the processes of other services, and reported. */
@Injectable()
export class GuardMetrics {
  constructor(metrics: Metrics, reports: GuardReports) {
    metrics.counter('guard_verdicts_total', 'Verdicts on keys that guards reported', 'code', () => reports.verdicts);
    metrics.counter('guard_verdicts_ignored_total', 'Reported verdicts that were not counted', 'reason', () => ({
      unknown_key: reports.unknownKeys,
    }));
    metrics.counter('guard_reports_total', 'Reports of guards, by result', 'result', () => ({ ...reports.reports }));
  }
}
