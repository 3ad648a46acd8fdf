import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type Invalidation, KeyInvalidations } from '../api-keys/invalidation/key-invalidations.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { StartError } from '../config/start-error.js';
import { startStep } from '../config/start-steps.js';
import { Database } from '../database/database.js';
import { databaseOutage } from '../logging/database-outage.js';
import { freshForMs } from './cache/stale-policy.js';
import { FeedConnection } from './feed-connection.js';
import type { Position } from './feed-position.js';
import { InvalidationNotifications } from './invalidation-notifications.js';
import { millisecondsSince, type Moment, NEVER } from './moment.js';

/** The retention of changes. After half of it without a successful poll, changes may have been missed. */
export const KEY_CHANGES_KEPT_MS = 3_600_000;

const POLLS_PER_BOUND = 5;
/** The attempts at a fast enough first poll before the start is refused: the machine may be busy. */
const FIRST_POLLS = 5;
const FIRST_POLL_TIMEOUT_MS = 10_000;

/** What a successful poll has reached: every change that was committed before it began is known. */
export interface Reached {
  readonly position: Position;
  /** When the poll began. */
  readonly polledAt: Moment;
}

/** Receives the changes of keys, of this process and of others. */
export interface InvalidationListener {
  /** These keys have changed, or were announced. */
  changed(invalidations: readonly Invalidation[]): void;
  /**
   * Changes may have been missed: any key may have changed.
   *
   * @param isOtherServer whether the database is another one than before, or an earlier state of it: what was read
   *   before may never have happened there
   */
  anyMayHaveChanged(isOtherServer: boolean): void;
  /** A poll has succeeded: every change before its position has been reported. */
  polled?(position: Position): void;
}

/**
 * Reports keys that other processes have changed: within milliseconds by notification, and reliably by polling, because
 * notifications can be lost.
 */
@Injectable()
export class InvalidationFeed implements OnModuleInit, OnApplicationShutdown {
  private readonly connection: FeedConnection;
  private readonly listeners: InvalidationListener[] = [];
  private readonly stopping = new AbortController();
  private lastReached: Reached | undefined;
  private polling: Promise<void> | undefined;

  constructor(
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    database: Database,
    keyInvalidations: KeyInvalidations,
  ) {
    const pollEveryMs = environment.revocationBoundMs / POLLS_PER_BOUND;
    const notifications = new InvalidationNotifications((invalidation) => this.notify([invalidation]), pollEveryMs);
    this.connection = new FeedConnection(environment, database, notifications);
    keyInvalidations.subscribe((invalidations) => this.notify(invalidations));
  }

  subscribe(listener: InvalidationListener): void {
    this.listeners.push(listener);
  }

  /** The milliseconds since the last successful poll started: all changes before it are known. */
  get age(): number {
    return millisecondsSince(this.polledAt);
  }

  /** What the last successful poll has reached; `undefined` before the first. */
  get reached(): Reached | undefined {
    return this.lastReached;
  }

  /** The position of the last successful poll; `undefined` before the first. */
  get position(): Position | undefined {
    return this.lastReached?.position;
  }

  /** Whether cached keys may be trusted: every change older than the bound has been invalidated. */
  get isFresh(): boolean {
    return this.age < freshForMs(this.environment.revocationBoundMs);
  }

  /** @throws StartError if the database is too slow to keep the bound */
  async onModuleInit(): Promise<void> {
    await startStep('the changes of keys (the table key_changes)', this.pollFirst());
    this.polling = this.keepPolling();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    this.connection.close();
    await this.polling;
  }

  private async pollFirst(): Promise<void> {
    const { revocationBoundMs: boundMs } = this.environment;
    // A result is as old as its answer took, and is trusted until the answer to the next poll
    const slowestMs = (freshForMs(boundMs) - boundMs / POLLS_PER_BOUND) / 2;
    let fastestMs = Number.POSITIVE_INFINITY;
    for (let polls = 0; polls < FIRST_POLLS && fastestMs > slowestMs; polls++) {
      await this.poll(FIRST_POLL_TIMEOUT_MS);
      fastestMs = Math.min(fastestMs, performance.now() - this.polledAt.steady);
    }
    if (fastestMs > slowestMs) throw tooSlow(fastestMs, slowestMs, boundMs);
  }

  private async keepPolling(): Promise<void> {
    const { revocationBoundMs: boundMs } = this.environment;
    while (!this.stopping.signal.aborted) {
      await this.poll(boundMs / 2).catch((error: Error) => this.reconnect(error));
      await sleep(boundMs / POLLS_PER_BOUND, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private async poll(timeoutMs: number): Promise<void> {
    const { startedAt, changed, position, isOtherServer, isNewConnection } = await this.connection.poll(timeoutMs);
    const isGap = this.polledAt !== NEVER && this.age > KEY_CHANGES_KEPT_MS / 2;
    if (isNewConnection || isOtherServer || isGap) this.notifyAll(isOtherServer);
    this.notify(changed);
    // Only now: what is fresh by this poll has been invalidated by it
    this.lastReached = { position, polledAt: startedAt };
    for (const listener of this.listeners) listener.polled?.(position);
    databaseOutage.feedSucceeded();
  }

  private get polledAt(): Moment {
    return this.lastReached?.polledAt ?? NEVER;
  }

  private reconnect(error: Error): void {
    if (this.stopping.signal.aborted) return;
    databaseOutage.feedFailed(error);
    this.connection.reset();
  }

  private notify(invalidations: readonly Invalidation[]): void {
    if (invalidations.length > 0) for (const listener of this.listeners) listener.changed(invalidations);
  }

  private notifyAll(isOtherServer: boolean): void {
    for (const listener of this.listeners) listener.anyMayHaveChanged(isOtherServer);
  }
}

function tooSlow(fastestMs: number, slowestMs: number, boundMs: number): StartError {
  return new StartError(
    `The database is too slow, or too far away: of ${FIRST_POLLS} attempts, the fastest answer took ` +
      `${Math.ceil(fastestMs)} ms. REVOCATION_BOUND_MS=${boundMs} requires ${Math.floor(slowestMs)} ms. Run the service ` +
      `closer to the database, or set REVOCATION_BOUND_MS to ${Math.ceil((fastestMs / slowestMs) * boundMs * 1.2)} or more.`,
  );
}
