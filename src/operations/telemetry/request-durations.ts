/** Bucket bounds in seconds: from a cached key's microseconds to a timed-out request. */
const BOUNDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

interface Series {
  labels: { method: string; route: string; status: number };
  /** Requests per bucket, not cumulative; the last bucket has no upper bound. */
  counts: number[];
  sum: number;
}

/**
 * A Prometheus histogram of requests by method, route and status. The library's own would cost more than verifying a
 * cached key, since it serializes the labels for each value.
 */
export class RequestDurations {
  readonly help = 'Duration of requests, from the start of the request to the end of the answer';
  /** By route; each list has one entry for each method and status. */
  private readonly series = new Map<string, Series[]>();

  constructor(readonly name: string) {}

  observe(method: string, route: string, status: number, seconds: number): void {
    const series = this.find(method, route, status) ?? this.add(method, route, status);
    let bound = 0;
    while (bound < BOUNDS.length && seconds > (BOUNDS[bound] as number)) bound++;
    (series.counts[bound] as number)++;
    series.sum += seconds;
  }

  /** Called by `Registry`. */
  async get() {
    const values = [...this.series.values()].flat().flatMap((one) => this.valuesOf(one));
    return { name: this.name, help: this.help, type: 'histogram', aggregator: 'sum', values };
  }

  private find(method: string, route: string, status: number): Series | undefined {
    const ofRoute = this.series.get(route);
    if (ofRoute)
      for (const one of ofRoute) if (one.labels.status === status && one.labels.method === method) return one;
    return undefined;
  }

  private add(method: string, route: string, status: number): Series {
    const series = { labels: { method, route, status }, counts: [...BOUNDS, Infinity].map(() => 0), sum: 0 };
    this.series.set(route, [...(this.series.get(route) ?? []), series]);
    return series;
  }

  private valuesOf({ labels, counts, sum }: Series) {
    let total = 0;
    const buckets = counts.map((count, index) => {
      total += count;
      return { metricName: `${this.name}_bucket`, labels: { le: BOUNDS[index] ?? '+Inf', ...labels }, value: total };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: total },
    ];
  }
}
