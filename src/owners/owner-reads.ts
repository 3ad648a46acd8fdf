import { Injectable } from '@nestjs/common';
import { tooMany } from '../http/errors/api-error.js';
import { KeyedConcurrency } from '../http/load/keyed-concurrency.js';

/** `queued` is more than the management requests that an owner may have in flight. */
const LIMITS_PER_OWNER = { running: 1, queued: 50 };
/** The pause after a read, as a multiple of its duration. */
const PAUSE_FACTOR = 2;
const MAX_PAUSE_MS = 250;

/**
 * Limits what one owner's reads take of the database and of this process. Reads of an owner run one at a time and wait
 * before they take a connection; each is followed by a pause twice as long as the read, so that others get their share.
 * `work` must not run queries in parallel.
 */
@Injectable()
export class OwnerReads {
  private readonly concurrency = new KeyedConcurrency(LIMITS_PER_OWNER, () =>
    tooMany('Too many of your reads are waiting.'),
  );

  /** @throws UnavailableError if too many of the owner's reads wait, or this one waits too long; what `work` throws */
  async run<T>(ownerId: string, work: () => Promise<T>): Promise<T> {
    const release = await this.concurrency.acquire(ownerId);
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      setTimeout(release, Math.min(PAUSE_FACTOR * (performance.now() - startedAt), MAX_PAUSE_MS));
    }
  }
}
