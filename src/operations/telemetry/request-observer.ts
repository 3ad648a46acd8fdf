import { Inject, Injectable } from '@nestjs/common';
import { RequestEvents } from '../../http/request-events.js';
import { Metrics } from './metrics.js';
import { RequestLog } from './request-log.js';
import { Tracing } from './tracing.js';

/** Reports every completed request to the metrics, the log and the traces. */
@Injectable()
export class RequestObserver {
  constructor(
    private readonly events: RequestEvents,
    metrics: Metrics,
    log: RequestLog,
    @Inject(Tracing) tracing: Tracing | null,
  ) {
    events.subscribe((request) => {
      metrics.observe(request);
      log.record(request);
      tracing?.finish(request);
    });
  }

  /** How many requests have started and are not completed. */
  get underWay(): number {
    return this.events.active;
  }
}
