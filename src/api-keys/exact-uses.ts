import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { UsageLimiter } from '../usage/usage-limiter.js';
import { exactUsesAnnouncement } from './invalidation/announcements.js';
import { KeyChanges } from './invalidation/key-invalidations.js';

/** What another process needs, once it has heard of it, to write what it has counted. */
const WRITTEN_WITHIN_MS = 250;

/**
 * Uses of keys without `max_uses` are counted in the memory of each process, and written each second. Before such a
 * key gets `max_uses`, all of them are written, and further ones counted in the database: the limit then holds from the
 * moment it is committed.
 */
@Injectable()
export class ExactUses {
  constructor(
    private readonly usageMeter: UsageLimiter,
    private readonly keyChanges: KeyChanges,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  /**
   * Returns when what this process has counted is written, and what the others have, as far as they run: within the
   * bound in which they learn of any change. What a process that is paused meanwhile has counted, it writes when it
   * goes on, and then it counts too.
   */
  async begin(keyId: string): Promise<void> {
    await this.usageMeter.countExactly(keyId);
    // The embedded database is this one process's
    if (!('url' in this.environment.database)) return;
    await this.keyChanges.announce(exactUsesAnnouncement(keyId));
    await sleep(this.environment.revocationBoundMs + WRITTEN_WITHIN_MS);
  }
}
