import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CompletedRequest } from '../../http/completed-request.js';
import { RequestDurations } from './request-durations.js';

const PREFIX = 'w3ipfs_keys_';
/** Default gauges with the suffix of counters; the library has their sums under the names without `_total`. */
const MISNAMED = ['resources', 'handles', 'requests'].map((what) => `nodejs_active_${what}_total`);

/** Reads the present values by label. */
type ReadValues = () => Readonly<Record<string, number>>;

/**
 * The registry of this process's metrics, for Prometheus. Most values are read from their owners on each scrape. Labels
 * never depend on users, so their number is bounded.
 */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  private readonly requests = new RequestDurations(`${PREFIX}http_request_duration_seconds`);

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    for (const name of MISNAMED) this.registry.removeSingleMetric(name);
    // The registry asks a metric for its name and its values alone
    this.registry.registerMetric(this.requests as unknown as Histogram);
  }

  observe({ method, route, status, seconds }: CompletedRequest): void {
    this.requests.observe(method, route, status, seconds);
  }

  /** @param name without the prefix, as everywhere below */
  gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name: PREFIX + name,
      help,
      registers: [this.registry],
      collect: () => gauge.set(read()),
    });
  }

  labelledGauge(name: string, help: string, label: string, read: ReadValues): void {
    const gauge: Gauge = new Gauge({
      name: PREFIX + name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect: () => Object.entries(read()).forEach(([value, count]) => gauge.set({ [label]: value }, count)),
    });
  }

  counter(name: string, help: string, label: string, read: ReadValues): void {
    const counter: Counter = new Counter({
      name: PREFIX + name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect: () => {
        counter.reset();
        for (const [value, count] of Object.entries(read())) counter.inc({ [label]: value }, count);
      },
    });
  }

  /** @param buckets upper bounds, in seconds */
  histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name: PREFIX + name, help, buckets, registers: [this.registry] });
  }
}
