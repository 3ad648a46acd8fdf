import { Injectable } from '@nestjs/common';
import { background } from '../../background/background.js';
import { RequestBodies } from '../../http/body/request-bodies.js';
import { LoadShedding } from '../../http/load/load-shedding.js';
import { Metrics } from './metrics.js';

/** Metrics of load: requests in flight and shed, unfinished bodies, and failed background work. */
@Injectable()
export class LoadMetrics {
  constructor(
    private readonly metrics: Metrics,
    loadShedding: LoadShedding,
    bodies: RequestBodies,
  ) {
    this.addRequests(loadShedding);
    this.addBodies(bodies);
    metrics.counter('background_failures_total', 'Failures of work that no caller awaits', 'kind', () => ({
      ...background,
    }));
  }

  private addRequests({ arriving, management, verification }: LoadShedding): void {
    const kinds = { arriving, management, verification };
    const read = (figure: 'active' | 'rejected') =>
      Object.fromEntries(Object.entries(kinds).map(([kind, limit]) => [kind, limit[figure]]));
    this.metrics.counter('requests_shed_total', 'Requests rejected because too many were in flight', 'kind', () =>
      read('rejected'),
    );
    this.metrics.labelledGauge('requests_under_way', 'Requests in flight', 'kind', () => read('active'));
  }

  private addBodies({ unfinished }: RequestBodies): void {
    const { clients, services } = unfinished;
    this.metrics.labelledGauge('unfinished_body_bytes', 'Memory of incomplete request bodies', 'sender', () => ({
      clients: clients.bytes,
      services: services.bytes,
    }));
    this.metrics.counter(
      'unfinished_bodies_given_up_total',
      'Incomplete request bodies dropped to free memory',
      'sender',
      () => ({ clients: clients.evicted, services: services.evicted }),
    );
  }
}
