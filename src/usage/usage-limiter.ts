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
 * For how long a key that is about to get `max_uses` has its uses counted in the database, limited or not: until every
 * process has heard of the limit itself, which is committed a bound after it was announced.
 */
const exactMs = (revocationBoundMs: number) => 2 * revocationBoundMs + 15_000;
const MAX_EXACT = 10_000;

/**
 * Counts the uses of keys. Those of a key with `max_uses` are in the database before they are granted. Those of other
 * keys are statistics: counted in memory and written each second.
 */
@Injectable()
export class UsageLimiter implements OnModuleInit, OnApplicationShutdown {
  private readonly commits: UseCommits;
  private readonly tallies: UseCounters;
  private readonly exact: LRUCache<string, true>;

  constructor(
    @Inject(VERIFICATION_POOL) dataSource: DataSource,
    private readonly clock: Clock,
    @Inject(ENVIRONMENT) { revocationBoundMs }: Pick<Environment, 'revocationBoundMs'> = { revocationBoundMs: 1_000 },
  ) {
    this.exact = new LRUCache({ max: MAX_EXACT, ttl: exactMs(revocationBoundMs) });
    this.commits = new UseCommits(dataSource, clock);
    this.tallies = new UseCounters(dataSource);
  }

  onModuleInit(): void {
    this.tallies.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.tallies.stop();
  }

  /** How many uses of unlimited keys were not counted, because too many keys waited to be written. */
  get lost(): number {
    return this.tallies.lost;
  }

  /** How many uses of unlimited keys are not in the database, lost ones among them. */
  get unwritten(): number {
    return this.tallies.unwritten;
  }

  /** How many uses wait to be made durable. */
  get waitingCount(): number {
    return this.commits.waitingCount;
  }

  /** Calls the listener with the seconds that each commit of uses took. */
  subscribe(listener: (seconds: number) => void): void {
    this.commits.subscribe(listener);
  }

  /**
   * Asks for uses of a limited key: all of the cost, or none of it.
   *
   * @param cost a whole number from 0; 0 asks how many are left, and is always granted
   * @throws UnavailableError if too many wait already, or the key is locked for too long; whatever the database throws
   */
  consume(keyId: string, cost: number): Promise<Consumed> {
    return this.commits.consume(keyId, cost);
  }

  /** Counts uses of an unlimited key. */
  count(keyId: string, cost: number): void {
    this.tallies.add(keyId, cost, this.clock.now());
  }

  /** Whether the uses of a key are to be counted in the database though it has no `max_uses`. */
  isExact(keyId: string): boolean {
    return this.exact.size > 0 && this.exact.has(keyId);
  }

  /**
   * Has the uses of a key counted in the database from now on, for long enough to set its `max_uses`, and returns when
   * those that were counted in memory are there too.
   *
   * @throws whatever the database throws
   */
  async countExactly(keyId: string): Promise<void> {
    this.exact.set(keyId, true);
    await this.tallies.flushKey(keyId);
  }

  /** Writes what was counted in memory now, unless it is being written already. */
  flush(): Promise<void> {
    return this.tallies.flush();
  }
}
