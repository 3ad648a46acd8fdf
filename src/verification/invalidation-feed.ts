import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { KeyChanges } from '../api-keys/invalidation/key-invalidations.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { StartError } from '../config/start-error.js';
import { startStep } from '../config/start-steps.js';
import { Database } from '../database/database.js';
import { databaseOutage } from '../logging/database-outage.js';
import type { DedicatedConnection } from '../database/dedicated-connection.js';
import type { SafeClient } from '../database/safe-client.js';
import { withTimeout } from '../database/with-timeout.js';
import { InvalidationNotifications } from './invalidation-notifications.js';
import { FeedPosition, type InvalidationRow } from './feed-position.js';

/** For how long changes are kept; a process that has heard of none for half of it forgets all that it knows. */
export const KEY_CHANGES_KEPT_MS = 3_600_000;

/** Of the bound, how much is for what happens between a decision and its answer. */
const RESERVE = 0.1;
const POLLS_PER_BOUND = 5;
/** Longer than a connection takes to a server that is a quarter of a second away: TCP, TLS, a password, and `prepare()`. */
const OPEN_WITHIN_MS = 3_000;
/** How often the first poll may be too slow before the start is refused: the machine may be busy. */
const FIRST_POLLS = 5;
const FIRST_POLL_WITHIN_MS = 10_000;

/** By the steady clock and by the host's. */
interface Moment {
  steady: number;
  wall: number;
}

/** What happened to keys elsewhere. */
export interface InvalidationListener {
  /** These have changed. */
  changed(apiKeys: readonly string[]): void;
  /**
   * Any may have changed without a word of it. On another server even what was true may never have happened there.
   *
   * @param isOtherServer whether the database is another one than before, or an earlier state of it
   */
  anyMayHaveChanged(isOtherServer: boolean): void;
}

/**
 * Learns which keys other processes have changed: by notification within milliseconds, and by polling for certain,
 * whatever notifications are lost. On a connection of its own, so that it never waits for other work.
 */
@Injectable()
export class InvalidationFeed implements OnModuleInit, OnApplicationShutdown {
  private readonly notifications: InvalidationNotifications;
  private readonly listeners: InvalidationListener[] = [];
  private readonly stopping = new AbortController();
  private connection: DedicatedConnection;
  private position = new FeedPosition();
  /** Whether a poll has succeeded on the present connection. */
  private isConnected = false;
  /** When the last poll began that succeeded, by the steady clock and by the host's. */
  private lastGoodPoll: Moment = { steady: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };
  private running: Promise<void> | undefined;

  constructor(
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    private readonly database: Database,
    keyChanges: KeyChanges,
  ) {
    const pollEveryMs = environment.revocationBoundMs / POLLS_PER_BOUND;
    this.notifications = new InvalidationNotifications((apiKey) => this.tell([apiKey]), pollEveryMs);
    this.connection = this.newConnection();
    keyChanges.subscribe((apiKeys) => this.tell(apiKeys));
  }

  subscribe(listener: InvalidationListener): void {
    this.listeners.push(listener);
  }

  /**
   * How long ago, in milliseconds, the last poll began that succeeded: all changes before it are known. The greater of
   * what two clocks say: one stands still while the machine is suspended, the other may be set.
   */
  get age(): number {
    const { steady, wall } = this.lastGoodPoll;
    return Math.max(performance.now() - steady, Date.now() - wall);
  }

  /** Whether what is remembered may be trusted: every change older than the bound has been forgotten. */
  get isFresh(): boolean {
    return this.age < this.environment.revocationBoundMs * (1 - RESERVE);
  }

  /** @throws StartError if the database is too far away to keep the bound */
  async onModuleInit(): Promise<void> {
    await startStep('the changes of keys (the table key_changes)', this.pollFirst());
    this.running = this.keepPolling();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    this.connection.close();
    await this.running;
  }

  private async pollFirst(): Promise<void> {
    const { revocationBoundMs: bound } = this.environment;
    // What was read is as old as the answer takes, and is trusted until the answer to the next poll
    const slowest = (bound * (1 - RESERVE - 1 / POLLS_PER_BOUND)) / 2;
    let quickest = Number.POSITIVE_INFINITY;
    for (let polls = 0; polls < FIRST_POLLS && quickest > slowest; polls++) {
      await this.poll(FIRST_POLL_WITHIN_MS);
      quickest = Math.min(quickest, performance.now() - this.lastGoodPoll.steady);
    }
    if (quickest <= slowest) return;
    throw new StartError(
      `The database is too far away, or too slow: it took ${Math.ceil(quickest)} ms to answer, at the quickest of ` +
        `${FIRST_POLLS} tries. With REVOCATION_BOUND_MS=${bound} it has to be ${Math.floor(slowest)} ms. Run the service ` +
        `nearer to it, or set REVOCATION_BOUND_MS to ${Math.ceil((quickest / slowest) * bound * 1.2)} or more.`,
    );
  }

  private async keepPolling(): Promise<void> {
    const { revocationBoundMs: bound } = this.environment;
    while (!this.stopping.signal.aborted) {
      await this.poll(bound / 2).catch((error: Error) => this.disconnect(error));
      await sleep(bound / POLLS_PER_BOUND, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private async poll(answerWithinMs: number): Promise<void> {
    const { rows, began } = await withTimeout(OPEN_WITHIN_MS + answerWithinMs, this.readChanges(answerWithinMs));
    const news = this.position.advance(rows);
    const isGap = Number.isFinite(this.lastGoodPoll.steady) && this.age > KEY_CHANGES_KEPT_MS / 2;
    // Another connection may lead to another server, which need not say so
    if (!this.isConnected || news.isOtherServer || isGap) this.tellAll(news.isOtherServer);
    this.isConnected = true;
    this.tell(news.changed);
    this.lastGoodPoll = began;
    databaseOutage.feedSucceeded();
  }

  private newConnection(): DedicatedConnection {
    const limitMs = this.environment.revocationBoundMs;
    const limits = { statementTimeoutMs: limitMs, lockTimeoutMs: limitMs };
    return this.database.dedicated(limits, (client) => this.prepare(client));
  }

  /** The time for an answer begins with the question: a connection may have to be opened first. */
  private readChanges(answerWithinMs: number): Promise<{ rows: InvalidationRow[]; began: Moment }> {
    return this.connection.run(async (client) => {
      const { statement, parameters } = this.position;
      const began = { steady: performance.now(), wall: Date.now() };
      const { rows } = await withTimeout(answerWithinMs, client.query<InvalidationRow>(statement, parameters));
      return { rows, began };
    });
  }

  /** The first thing on each connection. */
  private async prepare(client: SafeClient): Promise<void> {
    this.isConnected = false;
    await this.position.prepare(client);
    // The embedded database hands a notification to whichever connection is served next
    if ('url' in this.environment.database) await this.notifications.listen(client);
  }

  private disconnect(error: Error): void {
    if (this.stopping.signal.aborted) return;
    databaseOutage.feedFailed(error);
    this.connection.close();
    this.connection = this.newConnection();
  }

  private tell(apiKeys: readonly string[]): void {
    if (apiKeys.length > 0) for (const listener of this.listeners) listener.changed(apiKeys);
  }

  private tellAll(isOtherServer: boolean): void {
    for (const listener of this.listeners) listener.anyMayHaveChanged(isOtherServer);
  }
}
