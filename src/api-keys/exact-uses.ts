import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { tooMany } from '../http/errors/api-error.js';
import { ConcurrencyLimit } from '../http/load/concurrency-limit.js';
import { KeyedConcurrency } from '../http/load/keyed-concurrency.js';
import { UsageLimiter } from '../usage/usage-limiter.js';
import type { ApiKey } from './api-key.entity.js';
import { exactUsesAnnouncement } from './invalidation/announcements.js';
import { KeyTransactions } from './invalidation/key-transactions.js';

/** The time that a process takes to write its counts, once it has read the announcement. */
const WRITTEN_WITHIN_MS = 250;

/** A key waits for seconds, in one of the 100 slots of management requests: these leave most of them to others. */
const MAX_WAITING = 25;
const WAITING_PER_OWNER = { running: 2, queued: 10 };

/** Others who count uses, besides the processes of this service. */
export interface OtherCounters {
  /** Whether there are any, of whichever process. @throws the database's errors */
  areAny(): Promise<boolean>;
  /** The time in which their counts are written, once they have stopped counting a key. */
  readonly writtenWithinMs: number;
}

/**
 * Uses of keys without `max_uses` are counted in memory by each process and written every second. Before such a key gets
 * `max_uses`, all processes write their counts and go on counting in the database: the limit is exact from its commit.
 */
@Injectable()
export class ExactUses {
  private others: OtherCounters = { areAny: () => Promise.resolve(false), writtenWithinMs: 0 };
  private readonly waiting = new ConcurrencyLimit(MAX_WAITING, 'Too many keys in use are getting max_uses.');
  private readonly waitingByOwner = new KeyedConcurrency(WAITING_PER_OWNER, () =>
    tooMany('Too many keys of this account are getting max_uses.'),
  );

  constructor(
    private readonly usageLimiter: UsageLimiter,
    private readonly transactions: KeyTransactions,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  /** Waits for the counts of others, too. */
  waitFor(others: OtherCounters): void {
    this.others = others;
  }

  /**
   * Returns once the counts of this process are written, and those of the others, as far as they run: they learn of it
   * within the revocation bound. A process that is paused meanwhile writes its counts when it resumes.
   *
   * @throws UnavailableError if too many keys are waiting; the database's errors
   */
  async begin(key: ApiKey): Promise<void> {
    await this.usageLimiter.countExactly(key.id);
    const areOthers = await this.others.areAny();
    // The embedded database has no other process
    if (!('url' in this.environment.database) && !areOthers) return;
    const waitMs = areOthers ? this.others.writtenWithinMs : WRITTEN_WITHIN_MS;
    await this.waitingByOwner.run(key.ownerId, () => this.awaitCounts(key, waitMs));
  }

  private async awaitCounts({ id, identifier }: ApiKey, writtenWithinMs: number): Promise<void> {
    this.waiting.acquire();
    try {
      // The key too, so that those who decide on it themselves ask again
      await this.transactions.announce(exactUsesAnnouncement(id), identifier);
      await sleep(this.environment.revocationBoundMs + writtenWithinMs);
    } finally {
      this.waiting.release();
    }
    await this.usageLimiter.countExactly(id);
  }
}
