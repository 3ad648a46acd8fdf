import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { VERSION } from '../../config/version.js';
import { ExpiringKeys } from './expiring-keys.js';
import { Housekeeping } from '../lifecycle/housekeeping.js';
import { Metrics } from './metrics.js';

/** Metrics of the release, of housekeeping and of keys that expire soon. */
@Injectable()
export class UpkeepMetrics {
  constructor(
    metrics: Metrics,
    housekeeping: Housekeeping,
    expiringKeys: ExpiringKeys,
    @Inject(ENVIRONMENT) { revocationBoundMs }: Environment,
  ) {
    metrics.labelledGauge('build_info', 'The running release; always 1', 'version', () => ({ [VERSION]: 1 }));
    metrics.gauge(
      'revocation_bound_seconds',
      'REVOCATION_BOUND_MS, the maximum age of the change feed',
      () => revocationBoundMs / 1_000,
    );
    metrics.counter('housekeeping_runs_total', 'Runs of housekeeping, by result', 'result', () => ({
      ...housekeeping.runs,
    }));
    metrics.gauge(
      'expiring_keys',
      'Keys used in the last 7 days that expire within the next 7, over all processes',
      () => expiringKeys.count,
    );
  }
}
