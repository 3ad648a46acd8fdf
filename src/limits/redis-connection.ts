import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { ConfigurationError } from '../config/start-error.js';
import { OutageLog } from '../logging/outage-log.js';
import { withTimeout } from '../database/with-timeout.js';
import { assertUsable, UnusableRedisError } from './redis-fitness.js';
import { describeOutage } from './redis-failure.js';
import type { Script } from './redis-scripts.js';
import { redisOptions } from '../config/redis-url.js';

/** A reply after this is too late to be useful. */
const ANSWER_TIMEOUT_MS = 250;
/** After this long without a reply, the connection is replaced. */
const MAX_SILENCE_MS = 2_000;
const CONNECT_TIMEOUT_MS = 1_000;
const MAX_RETRY_DELAY_MS = 1_000;
const PROBE_INTERVAL_MS = 100;

/** The callbacks of a connection's user. */
interface ConnectionHooks {
  /** Resolves if the server can do what it is needed for. */
  probe(connection: RedisConnection): Promise<unknown>;
  /** Brings the server up to date after an outage, before it is used again. */
  catchUp(closing: AbortSignal): Promise<unknown>;
}

/**
 * A connection to Redis (6 or later) or Valkey with a circuit breaker, so that no request waits for an unavailable
 * server. The first command that fails or times out marks it down. It is then probed ten times a second in the
 * background, and is up again once a probe succeeds.
 */
export class RedisConnection {
  private readonly outage = new OutageLog(new Logger('Redis'));
  private readonly client: Redis;
  /** The server's host and port. */
  private readonly server: string;
  private readonly closing = new AbortController();
  private up = false;
  /** The reason why it cannot connect: commands that fail for it report only that there is no connection. */
  private connectError: Error | undefined;
  private reconnecting: Promise<void> | undefined;

  /** @param url `redis://` or `rediss://` */
  constructor(
    url: string,
    private readonly hooks: ConnectionHooks,
  ) {
    const options = redisOptions(url);
    this.server = `${options.host}:${options.port}`;
    this.client = new Redis({
      ...options,
      lazyConnect: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      retryStrategy: (attempt) => Math.min(50 * attempt, MAX_RETRY_DELAY_MS),
      // Without a connection, commands fail at once; they are never sent twice
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      // The probe decides instead
      enableReadyCheck: false,
      disableClientInfo: true,
    });
    // Logged by markDown(), once per outage
    this.client.on('error', (error: Error) => (this.connectError = error));
    this.client.on('connect', () => (this.connectError = undefined));
    // Detects a closed connection even without commands
    this.client.on('close', () => this.up && this.markDown(new Error('the connection was closed')));
  }

  get isUp(): boolean {
    return this.up;
  }

  /**
   * Connects. Resolves after the first attempt, whether or not it succeeds.
   *
   * @throws ConfigurationError if the server responds but cannot be used
   */
  async open(): Promise<void> {
    try {
      await this.client.connect();
      await this.probe();
      this.up = true;
    } catch (error) {
      if (error instanceof UnusableRedisError) {
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

  /** @throws LateAnswerError, or the client's or server's error; the caller passes it to `markDown()` */
  run(script: Script, key: string, args: readonly (string | number)[]): Promise<unknown> {
    return withTimeout(ANSWER_TIMEOUT_MS, this.send(script, key, args));
  }

  private async send({ source, sha1 }: Script, key: string, args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.client.evalsha(sha1, 1, key, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.client.eval(source, 1, key, ...args);
    }
  }

  /** Marks the connection down until a probe succeeds. Call this when a command fails. */
  markDown(cause: unknown): void {
    this.up = false;
    if (this.reconnecting || this.closing.signal.aborted) return;
    this.logOutage(cause);
    this.reconnecting = this.reconnect();
  }

  private logOutage(cause: unknown): void {
    const reason = describeOutage(this.connectError ?? (cause as Error));
    this.outage.failed(
      `Redis at ${this.server} is unavailable (${reason}): rate limits are per process until it returns.`,
    );
  }

  private async probe(): Promise<void> {
    await withTimeout(ANSWER_TIMEOUT_MS, assertUsable(this.client));
    await this.hooks.probe(this);
  }

  private async reconnect(): Promise<void> {
    const { signal } = this.closing;
    let lastReplyAt = performance.now();
    while (!signal.aborted) {
      try {
        await sleep(PROBE_INTERVAL_MS, undefined, { signal, ref: false });
        await this.probe();
        lastReplyAt = performance.now();
        await this.hooks.catchUp(signal);
        this.up = true;
        this.outage.recovered(
          `Redis at ${this.server} is available again, and rate limits apply across all processes.`,
        );
        break;
      } catch (error) {
        if (signal.aborted) break;
        this.logOutage(error);
        if (performance.now() - lastReplyAt < MAX_SILENCE_MS) continue;
        this.client.disconnect(true);
        lastReplyAt = performance.now();
      }
    }
    this.reconnecting = undefined;
  }
}
