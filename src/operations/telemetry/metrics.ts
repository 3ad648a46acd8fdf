import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { DataSource } from 'typeorm';
import { VERIFICATION_POOL } from '../../database/database.module.js';
import { RateLimiter } from '../../limits/rate-limiter.js';
import { RedisRateLimiter } from '../../limits/redis-rate-limiter.js';
import { UsageLimiter } from '../../usage/usage-limiter.js';
import { UsageStatistics } from '../../usage/usage-statistics.js';
import { InvalidationFeed } from '../../verification/invalidation-feed.js';
import { KeyLookup } from '../../verification/cache/key-lookup.js';
import { SecretVerifier } from '../../verification/secret-verifier.js';
import { Verifier } from '../../verification/verifier.js';
import { background } from '../../background/background.js';
import type { CompletedRequest } from '../../http/completed-request.js';
import { RequestBodies } from '../../http/body/request-bodies.js';
import { LoadShedding } from '../../http/load/load-shedding.js';
import { RequestDurations } from './request-durations.js';

const PREFIX = 'w3ipfs_keys_';
/** The library's own gauges that are named like counters; what they sum up is there under the names without `_total`. */
const MISNAMED = ['resources', 'handles', 'requests'].map((what) => `nodejs_active_${what}_total`);
const COMMIT_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 4];

interface PoolFigures {
  waitingCount: number;
  totalCount: number;
}

/**
 * What the process says of itself, in the names and units of Prometheus. Most of it is read where it is kept when
 * somebody asks; no label grows with users.
 */
@Injectable()
export class Metrics implements OnModuleInit {
  readonly registry = new Registry();

  private readonly requests = new RequestDurations(`${PREFIX}http_request_duration_seconds`);
  private readonly commits = new Histogram({
    name: `${PREFIX}use_commit_duration_seconds`,
    help: 'What it took to make a batch of uses durable',
    buckets: COMMIT_BUCKETS,
    registers: [this.registry],
  });

  constructor(
    private readonly dataSource: DataSource,
    @Inject(VERIFICATION_POOL) private readonly verificationPool: DataSource,
    verifier: Verifier,
    keyLookup: KeyLookup,
    secretChecks: SecretVerifier,
    feed: InvalidationFeed,
    private readonly usageMeter: UsageLimiter,
    statistics: UsageStatistics,
    rateLimiter: RateLimiter,
    overload: LoadShedding,
    bodies: RequestBodies,
  ) {
    collectDefaultMetrics({ register: this.registry });
    for (const name of MISNAMED) this.registry.removeSingleMetric(name);
    this.registry.registerMetric(this.requests as unknown as Histogram);
    this.counter('verdicts_total', 'Verdicts on keys', 'code', () => verifier.verdicts);
    this.counter('key_lookups_total', 'How pairs were recognised', 'result', () => keyLookup.results);
    this.gauge(
      'key_lookups_under_way',
      'Keys that are being read and checked for the first time',
      () => keyLookup.active,
    );
    this.gauge('known_keys', 'Keys that are remembered', () => keyLookup.cache.size);
    this.gauge('known_keys_bytes', 'What they take of the heap', () => keyLookup.cache.bytes);
    this.gauge('rate_limiter_bytes', 'What counting rates takes of memory', () => rateLimiter.bytes);
    this.byKind(overload);
    this.bySender(bodies);
    this.gauge('argon2_waiting', 'Checks of secrets that wait for a core', () => secretChecks.waiting);
    this.gauge('change_feed_age_seconds', 'Since when changes may have been missed', () => feed.age / 1_000);
    this.counter('statistics_lost_total', 'Uses and verdicts that were not counted', 'kind', () => ({
      uses: usageMeter.lost,
      verdicts: statistics.lost,
    }));
    this.gauge('uses_waiting', 'Uses that wait to be made durable', () => usageMeter.waitingCount);
    this.byPool('database_connections_waiting', 'Queries that wait for a connection', 'waitingCount');
    this.byPool('database_connections', 'Open connections in the pools', 'totalCount');
    this.counter('background_failures_total', 'Work that failed without a caller to tell', 'kind', () => ({
      ...background,
    }));
    if (rateLimiter instanceof RedisRateLimiter) {
      this.gauge('redis_up', 'Whether rates are counted over Redis now', () => Number(rateLimiter.isShared));
      this.gauge('rate_limiter_processes', 'How many processes count in this Redis', () => rateLimiter.processCount);
      this.counter('rate_limiter_fallbacks_total', 'Decisions made without Redis', 'limiter', () => ({
        own: rateLimiter.fallbacks,
      }));
    }
  }

  onModuleInit(): void {
    this.usageMeter.subscribe((seconds) => this.commits.observe(seconds));
  }

  observe({ method, route, status, seconds }: CompletedRequest): void {
    this.requests.observe(method, route, status, seconds);
  }

  private byPool(name: string, help: string, figure: keyof PoolFigures): void {
    const pools = { management: this.dataSource, verification: this.verificationPool };
    const read = ({ driver }: DataSource) => (driver as unknown as { master: PoolFigures }).master[figure];
    this.labelledGauge(name, help, 'pool', () =>
      Object.fromEntries(Object.entries(pools).map(([pool, dataSource]) => [pool, read(dataSource)])),
    );
  }

  private byKind({ arriving, management, verification }: LoadShedding): void {
    const kinds = { arriving, management, verification };
    const read = (figure: 'active' | 'rejected') =>
      Object.fromEntries(Object.entries(kinds).map(([kind, admission]) => [kind, admission[figure]]));
    this.counter('requests_shed_total', 'Requests refused because too many were under way', 'kind', () =>
      read('rejected'),
    );
    this.labelledGauge('requests_under_way', 'Requests that have not been answered yet', 'kind', () => read('active'));
  }

  private bySender({ unfinished }: RequestBodies): void {
    const { clients, services } = unfinished;
    this.labelledGauge('unfinished_body_bytes', 'Memory of bodies that have begun and not ended', 'sender', () => ({
      clients: clients.bytes,
      services: services.bytes,
    }));
    this.counter('unfinished_bodies_given_up_total', 'Bodies that did not end and had to make room', 'sender', () => ({
      clients: clients.givenUp,
      services: services.givenUp,
    }));
  }

  /** @param name without the prefix; @param read what it is now */
  gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name: PREFIX + name,
      help,
      registers: [this.registry],
      collect: () => gauge.set(read()),
    });
  }

  labelledGauge(name: string, help: string, label: string, read: () => Readonly<Record<string, number>>): void {
    const gauge: Gauge = new Gauge({
      name: PREFIX + name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect: () => Object.entries(read()).forEach(([value, count]) => gauge.set({ [label]: value }, count)),
    });
  }

  counter(name: string, help: string, label: string, read: () => Readonly<Record<string, number>>): void {
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
}
