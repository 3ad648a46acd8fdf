import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { KEY_CHANGES_CHANNEL, KeyChanges } from '../api-keys/key-changes.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { Database } from '../database/database.js';
import { databaseOutage } from '../database/database-outage.js';
import type { DedicatedConnection } from '../database/dedicated-connection.js';
import type { SafeClient } from '../database/safe-client.js';
import { within } from '../database/within.js';
import { ChangePosition, type ChangeRow } from './change-position.js';

/** For how long changes are kept; a process that has heard of none for half of it forgets all that it knows. */
export const KEY_CHANGES_KEPT_MS = 3_600_000;

/** What happened to keys elsewhere. */
export interface ChangeListener {
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
export class ChangeFeed implements OnModuleInit, OnApplicationShutdown {
  private readonly listeners: ChangeListener[] = [];
  private readonly stopping = new AbortController();
  private connection: DedicatedConnection;
  private position = new ChangePosition();
  /** Whether a poll has succeeded on the present connection. */
  private isConnected = false;
  /** When the last poll began that succeeded, by the steady clock and by the host's. */
  private lastGoodPoll = { steady: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };
  private running: Promise<void> | undefined;

  constructor(
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    private readonly database: Database,
    keyChanges: KeyChanges,
  ) {
    this.connection = this.newConnection();
    keyChanges.subscribe((apiKeys) => this.tell(apiKeys));
  }

  subscribe(listener: ChangeListener): void {
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
    // A tenth of the bound is for what happens between this decision and the answer
    return this.age < this.environment.revocationBoundMs * 0.9;
  }

  async onModuleInit(): Promise<void> {
    await this.poll();
    this.running = this.keepPolling();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    this.connection.close();
    await this.running;
  }

  private async keepPolling(): Promise<void> {
    const pause = this.environment.revocationBoundMs / 5;
    while (!this.stopping.signal.aborted) {
      await this.poll().catch((error: Error) => this.disconnect(error));
      await sleep(pause, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private async poll(): Promise<void> {
    const began = { steady: performance.now(), wall: Date.now() };
    const rows = await within(this.environment.revocationBoundMs / 2, this.readChanges());
    const news = this.position.advance(rows);
    const isGap = Number.isFinite(this.lastGoodPoll.steady) && this.age > KEY_CHANGES_KEPT_MS / 2;
    // Another connection may lead to another server, which need not say so
    if (!this.isConnected || news.isOtherServer || isGap) this.tellAll(news.isOtherServer);
    this.isConnected = true;
    this.tell(news.changed);
    this.lastGoodPoll = began;
    databaseOutage.feedAnswered();
  }

  private newConnection(): DedicatedConnection {
    const limitMs = this.environment.revocationBoundMs;
    const limits = { statementTimeoutMs: limitMs, lockTimeoutMs: limitMs };
    return this.database.dedicated(limits, (client) => this.prepare(client));
  }

  private readChanges(): Promise<ChangeRow[]> {
    return this.connection.run(async (client) => {
      const { statement, parameters } = this.position;
      return (await client.query<ChangeRow>(statement, parameters)).rows;
    });
  }

  /** The first thing on each connection. */
  private async prepare(client: SafeClient): Promise<void> {
    this.isConnected = false;
    await this.position.prepare(client);
    // The embedded database hands a notification to whichever connection is served next
    if (!('url' in this.environment.database)) return;
    client.on('notification', ({ payload }) => this.tell([payload ?? '']));
    await client.query(`LISTEN ${KEY_CHANGES_CHANNEL}`);
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
