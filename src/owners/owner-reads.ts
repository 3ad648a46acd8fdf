import { Injectable } from '@nestjs/common';
import { tooMany } from '../http/errors/api-error.js';
import { KeyedConcurrency } from '../http/load/keyed-concurrency.js';

/** One read of an owner is under way at once; more may wait than it has management places. */
const LIMITS = { running: 1, queued: 50 };
/** A rest is so many times as long as the read before it. */
const REST_FACTOR = 2;
const MAX_REST_MS = 250;

/**
 * Bounds what one owner's reads take of the database, and of this process: each waits for its turn before it takes a
 * connection, and the next begins once others have had twice as long as the last one took. Run within the work one
 * query after the other.
 */
@Injectable()
export class OwnerReads {
  private readonly turns = new KeyedConcurrency(LIMITS, () => tooMany('Too many of your requests are reading.'));

  /** @throws UnavailableError if too many of the owner's reads wait; whatever the work throws */
  async run<T>(ownerId: string, work: () => Promise<T>): Promise<T> {
    const release = await this.turns.acquire(ownerId);
    const began = performance.now();
    try {
      return await work();
    } finally {
      setTimeout(release, Math.min(REST_FACTOR * (performance.now() - began), MAX_REST_MS));
    }
  }
}
