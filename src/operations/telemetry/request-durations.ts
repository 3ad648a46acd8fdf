/** In seconds: from a known key's microseconds to a request that is given up. */
const BOUNDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

interface Series {
  labels: { method: string; route: string; status: number };
  /** How many were within each bound and beyond the one before; the last are beyond all. */
  counts: number[];
  sum: number;
}

/**
 * A histogram of Prometheus, of requests by method, route and status. The library's own would cost a known key's
 * request more than the verdict does, since it makes a text of the labels for each value.
 */
export class RequestDurations {
  readonly help = 'From the first of a request to the last of its answer';
  /** By route, then by method and status. */
  private readonly series = new Map<string, Series[]>();

  constructor(readonly name: string) {}

  observe(method: string, route: string, status: number, seconds: number): void {
    const series = this.find(method, route, status) ?? this.add(method, route, status);
    let bound = 0;
    while (bound < BOUNDS.length && seconds > (BOUNDS[bound] as number)) bound++;
    (series.counts[bound] as number)++;
    series.sum += seconds;
  }

  /** What `Registry` asks of a metric. */
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
