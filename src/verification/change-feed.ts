import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { PoolClient } from 'pg';
import { DataSource } from 'typeorm';
import { KEY_CHANGES_CHANNEL, KeyChanges } from '../api-keys/key-changes.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { inOneLine } from '../contract/error-text.js';
import { within } from '../database/within.js';

/** For how long changes are kept; a process that has heard of none for half of it forgets all that it knows. */
export const KEY_CHANGES_KEPT_MS = 3_600_000;

/** All changes since the oldest transaction that was open at the last poll, and which is the oldest now. */
const POLL = `
  SELECT snapshot.oldest, changes.seq, changes.api_key
  FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS oldest) AS snapshot
  LEFT JOIN key_changes AS changes ON changes.transaction_id >= $1::bigint`;

interface ChangeRow {
  oldest: string;
  seq: string | null;
  api_key: string | null;
}

/** @param apiKeys those that have changed; `undefined` if any may have */
type Listener = (apiKeys: readonly string[] | undefined) => void;

/**
 * Learns which keys other processes have changed: by notification within milliseconds, and by polling
 * for certain, whatever notifications are lost.
 */
@Injectable()
export class ChangeFeed implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(ChangeFeed.name);
  private readonly listeners: Listener[] = [];
  private readonly stopping = new AbortController();
  private connection: PoolClient | undefined;
  private disconnections = 0;
  private oldestTransaction: string | undefined;
  private seen = new Set<string>();
  private lastGoodPoll = Number.NEGATIVE_INFINITY;
  private failing = false;
  private running: Promise<void> | undefined;

  constructor(
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    private readonly dataSource: DataSource,
    keyChanges: KeyChanges,
  ) {
    keyChanges.subscribe((apiKeys) => this.forget(apiKeys));
  }

  subscribe(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** How long ago, in milliseconds, the last poll began that succeeded: all changes before it are known. */
  get age(): number {
    return performance.now() - this.lastGoodPoll;
  }

  /** Whether what is remembered may be believed: every change older than the bound has been forgotten. */
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
    await this.running;
    this.disconnect();
  }

  private async keepPolling(): Promise<void> {
    const pause = this.environment.revocationBoundMs / 5;
    while (!this.stopping.signal.aborted) {
      await this.poll().catch((error: Error) => this.cut(error));
      await sleep(pause, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private async poll(): Promise<void> {
    const began = performance.now();
    const rows = await within(this.environment.revocationBoundMs / 2, this.readChanges());
    if (this.lastGoodPoll > 0 && began - this.lastGoodPoll > KEY_CHANGES_KEPT_MS / 2) this.tell(undefined);
    this.oldestTransaction = rows[0]?.oldest;
    const changes = rows.filter((row) => row.seq !== null);
    this.forget(changes.filter(({ seq }) => !this.seen.has(String(seq))).map((row) => String(row.api_key)));
    this.seen = new Set(changes.map(({ seq }) => String(seq)));
    this.lastGoodPoll = began;
    if (this.failing) this.logger.log('The database answers again.');
    this.failing = false;
  }

  private async readChanges(): Promise<ChangeRow[]> {
    const connection = this.connection ?? (await this.connect());
    // At the very first, nothing is remembered that could have changed
    const since = this.oldestTransaction ?? String(Number.MAX_SAFE_INTEGER);
    return (await connection.query<ChangeRow>(POLL, [since])).rows;
  }

  private async connect(): Promise<PoolClient> {
    const { master } = this.dataSource.driver as unknown as { master: { connect(): Promise<PoolClient> } };
    const before = this.disconnections;
    const connection = await master.connect();
    if (before !== this.disconnections) {
      // The poll that asked for it has given up meanwhile, or all has ended
      connection.release(true);
      throw new Error('the connection came too late');
    }
    this.connection = connection;
    connection.on('error', () => connection === this.connection && this.disconnect());
    // The embedded database hands a notification to whichever connection is served next
    if ('url' in this.environment.database) {
      connection.on('notification', ({ payload }) => this.forget([payload ?? '']));
      await connection.query(`LISTEN ${KEY_CHANGES_CHANNEL}`);
    }
    return connection;
  }

  private cut(error: Error): void {
    if (!this.failing) this.logger.warn(`The database does not answer (${inOneLine(error)}); changes may be missed.`);
    this.failing = true;
    this.disconnect();
  }

  private disconnect(): void {
    this.disconnections++;
    this.connection?.release(true);
    this.connection = undefined;
  }

  private forget(apiKeys: readonly string[]): void {
    if (apiKeys.length > 0) this.tell(apiKeys);
  }

  private tell(apiKeys: readonly string[] | undefined): void {
    for (const listener of this.listeners) listener(apiKeys);
  }
}
