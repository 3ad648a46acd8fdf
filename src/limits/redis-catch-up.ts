import { setTimeout as sleep } from 'node:timers/promises';
import type { RateLimit } from '../principals/key-limits.js';
import type { FallbackRates } from './fallback-rates.js';
import type { ProcessCount } from './process-count.js';
import type { RedisConnection } from './redis-connection.js';

/** For how long this process still decides by itself once Redis answers, so that all have told it what they granted. */
const SETTLE_MS = 500;
const BEAT_EVERY_MS = 2_000;
/** So many keys are told at once. */
const TOLD_AT_ONCE = 100;
/** Of so many keys, a server that has lost what it counted is told at once; of others when they are used. */
const MAX_TOLD = 10_000;
/** How often it is looked for what was granted while the rest was told. */
const MAX_ROUNDS = 10;

/** Asks Redis for a cost, and with it says what was last told of the key; `isGranted`: the cost was granted already. */
type Ask = (key: string, limit: RateLimit, cost: number, isGranted?: boolean) => Promise<unknown>;

/**
 * Tells Redis what it has missed: that this process counts there, what was granted while it was away, and, where it has
 * lost what it counted, what it had said.
 */
export class RedisCatchUp {
  private heartbeat: NodeJS.Timeout | undefined;
  /** Redis does not know this process any more, and so may have lost what it counted. */
  private isForgotten = false;

  constructor(
    private readonly processes: ProcessCount,
    private readonly fallback: FallbackRates,
    private readonly ask: Ask,
  ) {}

  keepAnnouncing(connection: RedisConnection): void {
    this.heartbeat = setInterval(() => this.beat(connection), BEAT_EVERY_MS).unref();
  }

  close(): void {
    clearInterval(this.heartbeat);
  }

  /** Says that this process counts in this Redis, and hears of the others. */
  async announce(connection: RedisConnection): Promise<void> {
    if (await this.processes.beat(connection)) this.isForgotten = true;
  }

  /** Before a server that was away is used again. */
  async run(closing: AbortSignal): Promise<void> {
    await this.remind();
    await this.tellDebts();
    await sleep(SETTLE_MS, undefined, { signal: closing, ref: false });
    await this.tellDebts();
    this.fallback.end();
  }

  private beat(connection: RedisConnection): void {
    if (!connection.isUp) return;
    const told = this.announce(connection).then(() => this.remind());
    told.catch((error: unknown) => connection.markDown(error));
  }

  private async remind(): Promise<void> {
    if (!this.isForgotten) return;
    // It may lose all of it again meanwhile
    this.isForgotten = false;
    try {
      const keys = this.fallback.keysInUse(MAX_TOLD);
      await inBatches(keys, ([key, limit]) => this.ask(key, limit, 0));
    } catch (error) {
      this.isForgotten = true;
      throw error;
    }
  }

  /**
   * Tells Redis what was granted without it, also while it is being told, but not for ever: under load there is always
   * more. What fails is told again the next time.
   */
  private async tellDebts(): Promise<void> {
    for (let rounds = 0; rounds < MAX_ROUNDS; rounds++) {
      const debts = this.fallback.collectDebts();
      if (debts.length === 0) return;
      const told = inBatches(debts, ([key, { limit, cost }]) => this.ask(key, limit, cost, true));
      await told.catch((error: unknown) => {
        this.fallback.oweAgain(debts);
        throw error;
      });
    }
  }
}

/** Tells all, some at once; what has been told is taken out. */
async function inBatches<T>(all: T[], tell: (one: T) => Promise<unknown>): Promise<void> {
  while (all.length > 0) {
    const some = all.slice(0, TOLD_AT_ONCE);
    await Promise.all(some.map(tell));
    all.splice(0, some.length);
  }
}
