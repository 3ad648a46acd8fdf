import { Injectable } from '@nestjs/common';
import { GuardChanges } from '../../guard-feed/changes/guard-changes.js';
import { GuardSightings } from '../../guard-feed/guard-sightings.js';
import { GuardReports } from '../../guard-feed/reports/guard-reports.js';
import { Grants } from '../../verification/grants.js';
import { Metrics } from './metrics.js';

/** Metrics of guards, which decide on keys inside other services. */
@Injectable()
export class GuardMetrics {
  constructor(
    metrics: Metrics,
    changes: GuardChanges,
    sightings: GuardSightings,
    grants: Grants,
    reports: GuardReports,
  ) {
    metrics.labelledGauge(
      'guards',
      'Guards that have asked this process for changes in the last minute',
      'service',
      () => sightings.counts,
    );
    metrics.labelledGauge(
      'guard_lag_seconds',
      'Time since the guard that has been silent for the longest asked this process',
      'service',
      () => sightings.lags,
    );
    metrics.gauge('guard_waiters', 'Guards that wait for changes now', () => changes.waiters.count);
    metrics.counter(
      'grants_total',
      'Answers to guards, by whether they may decide on the key themselves or why not',
      'result',
      () => grants.results,
    );
    this.addReports(metrics, reports);
  }

  private addReports(metrics: Metrics, reports: GuardReports): void {
    metrics.counter('guard_verdicts_total', 'Verdicts on keys that guards reported', 'code', () => reports.verdicts);
    metrics.counter('guard_verdicts_ignored_total', 'Reported verdicts that were not counted', 'reason', () => ({
      unknown_key: reports.unknownKeys,
    }));
    metrics.counter('guard_reports_total', 'Reports of guards, by result', 'result', () => ({ ...reports.reports }));
  }
}
