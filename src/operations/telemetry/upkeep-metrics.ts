import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { VERSION } from '../../config/version.js';
import { ExpiringKeys } from './expiring-keys.js';
import { Housekeeping } from '../lifecycle/housekeeping.js';
import { Metrics } from './metrics.js';

/** What the metrics say of the release, of what goes on without requests, and of what somebody has to do in time. */
@Injectable()
export class UpkeepMetrics {
  constructor(
    metrics: Metrics,
    housekeeping: Housekeeping,
    expiringKeys: ExpiringKeys,
    @Inject(ENVIRONMENT) { revocationBoundMs }: Environment,
  ) {
    metrics.labelledGauge('build_info', 'The release that runs, always 1', 'version', () => ({ [VERSION]: 1 }));
    metrics.gauge(
      'revocation_bound_seconds',
      'REVOCATION_BOUND_MS, which the age of the change feed is not to exceed',
      () => revocationBoundMs / 1_000,
    );
    metrics.counter('housekeeping_runs_total', 'Runs of housekeeping, by what came of them', 'result', () => ({
      ...housekeeping.runs,
    }));
    metrics.gauge(
      'expiring_keys',
      'Keys used in the last 7 days that expire within the next 7, of all processes',
      () => expiringKeys.count,
    );
  }
}
