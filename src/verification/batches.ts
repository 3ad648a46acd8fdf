import { Logger } from '@nestjs/common';
import { ApiError } from '../http/errors/api-error.js';
import { describeError } from '../logging/describe-error.js';
import { isDatabaseUnavailable } from '../database/database-unavailable.js';
import { databaseOutage } from '../logging/database-outage.js';
import { BatchRun, type BatchVerdict, type Undecided, type Verify } from './batch-run.js';
import type { VerifyRequest } from './verifier.js';

/** How many requests of all batches may wait at once: so far fewer than may be read for the first time that others find room. */
const WAITING_OF_ALL = 500;
/** And of one batch; where all batches have too many waiting, each goes on with one at a time. */
const WAITING_OF_ONE = 25;
const RETRY_AFTER_SECONDS = 2;

/**
 * Decides the requests of batches, those on the same key one after the other. Each settles for itself: one that cannot
 * be decided now is charged nothing and leaves the others alone, but for later ones on its key, which would fare no
 * better.
 */
export class Batches {
  private readonly logger = new Logger(Batches.name);
  private waiting = 0;

  /** @param decideOne what decides one request */
  constructor(private readonly decideOne: Verify) {}

  /** The outcomes in the order of the requests; at once where all are decided from memory. Never fails. */
  decide(requests: readonly VerifyRequest[]): BatchVerdict[] | Promise<BatchVerdict[]> {
    const outcomes: BatchVerdict[] = [];
    for (const request of requests) {
      const verdict = this.verify(request);
      if (verdict instanceof Promise) return this.runOf(requests, outcomes).finish(verdict);
      outcomes.push(verdict);
    }
    return outcomes;
  }

  /** What is answered for one that cannot be decided. */
  undecided(failure: unknown): Undecided {
    this.tell(failure);
    return undecidedOf(failure);
  }

  /** What fails at once is no reason to leave the others. */
  private readonly verify: Verify = (request) => {
    try {
      return this.decideOne(request);
    } catch (failure) {
      return Promise.reject(failure);
    }
  };

  private runOf(requests: readonly VerifyRequest[], outcomes: BatchVerdict[]): BatchRun {
    let isTold = false;
    return new BatchRun(requests, outcomes, {
      verify: this.verify,
      mostWaiting: () => (this.waiting < WAITING_OF_ALL ? WAITING_OF_ONE : 1),
      count: (change) => (this.waiting += change),
      undecided: (failure) => {
        // Once for each batch: usually all have failed for one reason
        if (!isTold) this.tell(failure);
        isTold = true;
        return undecidedOf(failure);
      },
    });
  }

  private tell(failure: unknown): void {
    if (failure instanceof ApiError && failure.cause === undefined) return;
    const text = 'Requests of a batch could not be decided';
    const cause = failure instanceof ApiError ? failure.cause : failure;
    if (failure instanceof ApiError || isDatabaseUnavailable(failure)) databaseOutage.report(this.logger, text, cause);
    else this.logger.error(`${text}: ${describeError(failure)}`);
  }
}

function undecidedOf(failure: unknown): Undecided {
  const told = failure instanceof ApiError ? Number(failure.headers['Retry-After']) : Number.NaN;
  return { valid: false, code: 'UNAVAILABLE', retryAfterSeconds: told || RETRY_AFTER_SECONDS };
}
