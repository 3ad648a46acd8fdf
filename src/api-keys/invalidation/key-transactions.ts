import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { tooMany } from '../../http/errors/api-error.js';
import { KeyedConcurrency } from '../../http/load/keyed-concurrency.js';
import type { AnswerSlot } from '../../idempotency/idempotent-answers.js';
import { withFreeNumbers } from './free-numbers.js';
import { KeyInvalidations } from './key-invalidations.js';
import { retryConflicts } from './retry-conflicts.js';
import { UnitOfWork } from './unit-of-work.js';

/** One transaction of an owner at a time, so that those waiting for the owner's row occupy no connection. */
const TURNS = { running: 1, queued: 100 };
/** Longer than any transaction here takes; a caller that waits longer for a row is asked to retry. */
const LOCK_TIMEOUT = '2s';

type Work<T> = (uow: UnitOfWork) => Promise<T>;

/** Runs the transactions that change keys. */
@Injectable()
export class KeyTransactions {
  private readonly turns = new KeyedConcurrency(TURNS, () =>
    tooMany("Too many changes of this account's keys are pending."),
  );

  constructor(
    private readonly dataSource: DataSource,
    private readonly invalidations: KeyInvalidations,
  ) {}

  /**
   * Runs a change of an owner's keys in the owner's turn. Its invalidations and its answer commit with it.
   *
   * @param work repeated from the start if the transaction loses a conflict
   * @param slot where the result is stored as the answer to an idempotent request
   * @returns the result of the work; by then, this process has dropped what was invalidated
   * @throws UnavailableError if too many of the owner's changes wait, or a row stays locked for too long
   */
  run<T>(ownerId: string, work: Work<T>, slot?: AnswerSlot<T>): Promise<T> {
    return this.turns.run(ownerId, () =>
      this.commit(async (uow) => {
        const result = await work(uow);
        await slot?.store(uow.tx, result);
        return result;
      }),
    );
  }

  /** Sends texts to all processes, or keys to drop; see `announcements.ts`. */
  announce(...texts: string[]): Promise<void> {
    return this.commit((uow) => Promise.resolve(uow.announce(...texts)));
  }

  private async commit<T>(work: Work<T>): Promise<T> {
    let done: UnitOfWork | undefined;
    const attempt = () =>
      this.dataSource.transaction(async (tx) => {
        await tx.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
        const uow = new UnitOfWork(tx);
        const result = await work(uow);
        done = uow;
        await this.invalidations.record(uow);
        return result;
      });
    try {
      return await retryConflicts(() => withFreeNumbers(this.dataSource, attempt));
    } finally {
      // Notify even if the commit seems to have failed: perhaps only its acknowledgement was lost
      if (done) this.invalidations.notify(done);
    }
  }
}
