import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { UsageLimiter } from '../usage/usage-limiter.js';
import type { ApiKey } from './api-key.entity.js';
import { exactUsesAnnouncement } from './invalidation/announcements.js';
import { KeyTransactions } from './invalidation/key-transactions.js';

/** The time that a process takes to write its counts, once it has read the announcement. */
const WRITTEN_WITHIN_MS = 250;

/** Others who count uses, besides the processes of this service. */
export interface OtherCounters {
  /** Whether there are any now. */
  readonly areAny: boolean;
  /** The time in which their counts are written, once they have stopped counting a key. */
  readonly writtenWithinMs: number;
}

/**
 * Uses of keys without `max_uses` are counted in memory by each process and written every second. Before such a key gets
 * `max_uses`, all processes write their counts and go on counting in the database: the limit is exact from its commit.
 */
@Injectable()
export class ExactUses {
  private others: OtherCounters = { areAny: false, writtenWithinMs: 0 };

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
   */
  async begin({ id, identifier }: ApiKey): Promise<void> {
    await this.usageLimiter.countExactly(id);
    const { areAny, writtenWithinMs } = this.others;
    // The embedded database has no other process
    if (!('url' in this.environment.database) && !areAny) return;
    // The key too, so that those who decide on it themselves ask again
    await this.transactions.announce(exactUsesAnnouncement(id), identifier);
    await sleep(this.environment.revocationBoundMs + (areAny ? writtenWithinMs : WRITTEN_WITHIN_MS));
    await this.usageLimiter.countExactly(id);
  }
}
