import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { ConfigurationError } from '../config/start-error.js';
import { OutageLog } from '../logging/outage-log.js';
import { withTimeout } from '../database/with-timeout.js';
import { assertFit, UnfitRedisError } from './redis-fitness.js';
import { whyAway } from './redis-failure.js';
import type { Script } from './redis-scripts.js';
import { redisOptions } from '../config/redis-url.js';

/** An answer that comes later than this comes too late. */
const ANSWER_WITHIN_MS = 250;
/** Without any answer for this long, the connection is given up for a new one. */
const SILENT_AT_MOST_MS = 2_000;
const CONNECT_WITHIN_MS = 1_000;
const RETRY_AT_LEAST_EVERY_MS = 1_000;
const PROBE_EVERY_MS = 100;

/** What its user does with a connection. */
interface Use {
  /** Succeeds where the server does what it is needed for. */
  probe(connection: RedisConnection): Promise<unknown>;
  /** Tells a server that was away what it has missed, before it is used again. */
  catchUp(closing: AbortSignal): Promise<unknown>;
}

/**
 * A connection to Redis (6 or later) or Valkey that is either up or not used at all, so that nobody waits for
 * a server that is away: the first command that fails, or is not answered in time, takes it down; from then on
 * it is tried ten times a second in the background, and is up again when that has succeeded.
 */
export class RedisConnection {
  private readonly outage = new OutageLog(new Logger('Redis'));
  private readonly client: Redis;
  /** Its host and port. */
  private readonly server: string;
  private readonly closing = new AbortController();
  private up = false;
  /** Why it cannot connect: what fails for that says only that there is no connection. */
  private connectError: Error | undefined;
  private reconnecting: Promise<void> | undefined;

  /** @param url `redis://` or `rediss://` */
  constructor(
    url: string,
    private readonly use: Use,
  ) {
    const options = redisOptions(url);
    this.server = `${options.host}:${options.port}`;
    this.client = new Redis({
      ...options,
      lazyConnect: true,
      connectTimeout: CONNECT_WITHIN_MS,
      retryStrategy: (attempt) => Math.min(50 * attempt, RETRY_AT_LEAST_EVERY_MS),
      // A command fails at once where there is no connection, and is never sent twice
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      // What matters is that the probe succeeds
      enableReadyCheck: false,
      disableClientInfo: true,
    });
    // Told by lost() instead, once for each outage
    this.client.on('error', (error: Error) => (this.connectError = error));
    this.client.on('connect', () => (this.connectError = undefined));
    // Noticed though nobody is asking
    this.client.on('close', () => this.up && this.markDown(new Error('the connection was closed')));
  }

  get isUp(): boolean {
    return this.up;
  }

  /**
   * Connects; resolves after the first attempt, even if nothing answers.
   *
   * @throws ConfigurationError if a server answers that cannot be used
   */
  async open(): Promise<void> {
    try {
      await this.client.connect();
      await this.probe();
      this.up = true;
    } catch (error) {
      if (error instanceof UnfitRedisError) {
        this.client.disconnect();
        throw new ConfigurationError([`REDIS_URL (${this.server}): ${error.message}`]);
      }
      this.markDown(error);
    }
  }

  async close(): Promise<void> {
    this.up = false;
    this.closing.abort();
    this.client.disconnect();
    await this.reconnecting;
  }

  /** @throws LateAnswerError; whatever the client or the server says; tell `lost()` of it */
  run(script: Script, key: string, args: readonly (string | number)[]): Promise<unknown> {
    return withTimeout(ANSWER_WITHIN_MS, this.send(script, key, args));
  }

  private async send({ source, sha1 }: Script, key: string, args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.client.evalsha(sha1, 1, key, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.client.eval(source, 1, key, ...args);
    }
  }

  /** A command has failed: the connection is down until a probe succeeds. */
  markDown(cause: unknown): void {
    this.up = false;
    if (this.reconnecting || this.closing.signal.aborted) return;
    this.tell(cause);
    this.reconnecting = this.reconnect();
  }

  private tell(cause: unknown): void {
    const reason = whyAway(this.connectError ?? (cause as Error));
    this.outage.failed(
      `Redis at ${this.server} is unavailable (${reason}): each process counts rates by itself until it returns.`,
    );
  }

  private async probe(): Promise<void> {
    await withTimeout(ANSWER_WITHIN_MS, assertFit(this.client));
    await this.use.probe(this);
  }

  private async reconnect(): Promise<void> {
    const { signal } = this.closing;
    let answeredAt = performance.now();
    while (!signal.aborted) {
      try {
        await sleep(PROBE_EVERY_MS, undefined, { signal, ref: false });
        await this.probe();
        answeredAt = performance.now();
        await this.use.catchUp(signal);
        this.up = true;
        this.outage.recovered(`Redis at ${this.server} is available again, and counts rates for all processes.`);
        break;
      } catch (error) {
        if (signal.aborted) break;
        this.tell(error);
        if (performance.now() - answeredAt < SILENT_AT_MOST_MS) continue;
        this.client.disconnect(true);
        answeredAt = performance.now();
      }
    }
    this.reconnecting = undefined;
  }
}
