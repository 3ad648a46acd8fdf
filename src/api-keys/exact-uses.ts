import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { UsageLimiter } from '../usage/usage-limiter.js';
import { exactUsesAnnouncement } from './invalidation/announcements.js';
import { KeyTransactions } from './invalidation/key-transactions.js';

/** The time that a process takes to write its counts, once it has read the announcement. */
const WRITTEN_WITHIN_MS = 250;

/**
 * Uses of keys without `max_uses` are counted in memory by each process and written every second. Before such a key gets
 * `max_uses`, all processes write their counts and go on counting in the database: the limit is exact from its commit.
 */
@Injectable()
export class ExactUses {
  constructor(
    private readonly usageLimiter: UsageLimiter,
    private readonly transactions: KeyTransactions,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  /**
   * Returns once the counts of this process are written, and those of the others, as far as they run: they learn of it
   * within the revocation bound. A process that is paused meanwhile writes its counts when it resumes.
   */
  async begin(keyId: string): Promise<void> {
    await this.usageLimiter.countExactly(keyId);
    // The embedded database has no other process
    if (!('url' in this.environment.database)) return;
    await this.transactions.announce(exactUsesAnnouncement(keyId));
    await sleep(this.environment.revocationBoundMs + WRITTEN_WITHIN_MS);
  }
}
