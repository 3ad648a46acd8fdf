import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { DataSource } from 'typeorm';
import { VERIFICATION_POOL } from '../database/database.module.js';
import { Clock } from '../clock.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { UseCommits } from './use-commits.js';
import type { Consumed } from './waiting-uses.js';
import { UseCounters } from './use-counters.js';

/**
 * How long the uses of a key that is about to get `max_uses` are counted in the database, limited or not: until every
 * process knows the limit, which is committed one revocation bound after its announcement.
 */
const exactMs = (revocationBoundMs: number) => 2 * revocationBoundMs + 15_000;
const MAX_EXACT = 10_000;

/**
 * Counts the uses of keys. Uses of a key with `max_uses` are committed before they are granted (`UseCommits`). Uses of other
 * keys are statistics: counted in memory and written every second (`UseCounters`). `Quota` chooses between the two.
 */
@Injectable()
export class UsageLimiter implements OnModuleInit, OnApplicationShutdown {
  private readonly commits: UseCommits;
  private readonly counters: UseCounters;
  private readonly exact: LRUCache<string, true>;

  constructor(
    @Inject(VERIFICATION_POOL) dataSource: DataSource,
    private readonly clock: Clock,
    @Inject(ENVIRONMENT) { revocationBoundMs }: Pick<Environment, 'revocationBoundMs'> = { revocationBoundMs: 1_000 },
  ) {
    this.exact = new LRUCache({ max: MAX_EXACT, ttl: exactMs(revocationBoundMs) });
    this.commits = new UseCommits(dataSource, clock);
    this.counters = new UseCounters(dataSource);
  }

  onModuleInit(): void {
    this.counters.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.counters.stop();
  }

  /** The number of uses of unlimited keys that were dropped because too many keys waited to be written. */
  get lost(): number {
    return this.counters.lost;
  }

  /** The number of uses of unlimited keys that are not in the database, including lost ones. */
  get unwritten(): number {
    return this.counters.unwritten;
  }

  /** The number of uses waiting to be committed. */
  get waitingCount(): number {
    return this.commits.waitingCount;
  }

  /** Calls the listener with the duration of each commit of uses, in seconds. */
  subscribe(listener: (seconds: number) => void): void {
    this.commits.subscribe(listener);
  }

  /**
   * Consumes uses of a limited key: the whole cost or nothing.
   *
   * @param cost a whole number from 0; 0 queries the remaining uses and is always granted
   * @throws UnavailableError if too many callers wait already, or the key's row stays locked; the database's errors
   */
  consume(keyId: string, cost: number): Promise<Consumed> {
    return this.commits.consume(keyId, cost);
  }

  /** Counts uses of an unlimited key. */
  count(keyId: string, cost: number): void {
    this.countAt(this.clock.now(), keyId, cost);
  }

  /** Counts uses that were granted elsewhere. @param time milliseconds since 1970 */
  countAt(time: number, keyId: string, uses: number): void {
    this.counters.add(keyId, uses, time);
  }

  /** Whether uses of so many keys can wait to be written without the loss of any. */
  hasRoomFor(keys: number): boolean {
    return this.counters.hasRoomFor(keys);
  }

  /** Whether the uses of a key must be counted in the database even if it has no `max_uses`. */
  isExact(keyId: string): boolean {
    return this.exact.size > 0 && this.exact.has(keyId);
  }

  /**
   * Counts the uses of a key in the database from now on, for long enough to set its `max_uses`. Resolves once the uses
   * counted in memory are written too.
   *
   * @throws the database's errors
   */
  async countExactly(keyId: string): Promise<void> {
    this.exact.set(keyId, true);
    await this.counters.flushKey(keyId);
  }

  /** Writes the uses counted in memory now, unless a write is already running. */
  flush(): Promise<void> {
    return this.counters.flush();
  }
}
