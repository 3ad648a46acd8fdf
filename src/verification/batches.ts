import { Logger } from '@nestjs/common';
import { ApiError, UnavailableError } from '../http/errors/api-error.js';
import { describeError } from '../logging/describe-error.js';
import { isDatabaseUnavailable } from '../database/database-unavailable.js';
import { databaseOutage } from '../logging/database-outage.js';
import { BatchRun, type BatchVerdict, type Undecided, type Verify } from './batch-run.js';
import type { Verdict } from './verdict.js';
import type { VerifyRequest } from './verifier.js';

/** The cap on waiting requests of all batches: well below the cap on lookups, so that single requests find room. */
const MAX_WAITING = 500;
/** The cap for one batch. Once all batches together reach theirs, each proceeds with one request at a time. */
const MAX_WAITING_PER_BATCH = 25;
const RETRY_AFTER_SECONDS = 2;

/** Repeats the checks of a verdict that has waited for others. */
export type Recheck = (request: VerifyRequest, verdict: Verdict) => Promise<Verdict>;

/**
 * Decides the requests of batches, those with the same key one after the other. Each request settles independently: one
 * that cannot be decided is not charged, and affects only later requests with its key, which would fail as well.
 */
export class Batches {
  private readonly logger = new Logger(Batches.name);
  private waiting = 0;

  constructor(
    private readonly decideOne: Verify,
    private readonly recheck: Recheck,
  ) {}

  /** The verdicts in the order of the requests. Never rejects. */
  async decide(requests: readonly VerifyRequest[]): Promise<BatchVerdict[]> {
    const verdicts: BatchVerdict[] = [];
    for (const request of requests) {
      const verdict = this.verify(request);
      if (verdict instanceof Promise) {
        const settled = await this.runOf(requests, verdicts).finish(verdict);
        return Promise.all(settled.map((one, index) => this.recheckOne(requests[index] as VerifyRequest, one)));
      }
      verdicts.push(verdict);
    }
    return verdicts;
  }

  /** A synchronous failure of one request must not fail the others. */
  private readonly verify: Verify = (request) => {
    try {
      return this.decideOne(request);
    } catch (failure) {
      return Promise.reject(failure);
    }
  };

  /** The first verdicts of a batch have waited for the last. */
  private async recheckOne(request: VerifyRequest, verdict: BatchVerdict): Promise<BatchVerdict> {
    if (!verdict.valid) return verdict;
    return this.recheck(request, verdict).catch((failure: unknown) => {
      this.report(failure);
      return undecidedOf(failure);
    });
  }

  private runOf(requests: readonly VerifyRequest[], verdicts: BatchVerdict[]): BatchRun {
    let isReported = false;
    return new BatchRun(requests, verdicts, {
      verify: this.verify,
      maxWaiting: () => (this.waiting < MAX_WAITING ? MAX_WAITING_PER_BATCH : 1),
      addWaiting: (change) => (this.waiting += change),
      undecided: (failure) => {
        // Once per batch: usually all failures have the same cause
        if (!isReported) this.report(failure);
        isReported = true;
        return undecidedOf(failure);
      },
    });
  }

  private report(failure: unknown): void {
    if (failure instanceof ApiError && failure.cause === undefined) return;
    const text = 'Requests of a batch could not be decided';
    const cause = failure instanceof ApiError ? failure.cause : failure;
    if (failure instanceof ApiError || isDatabaseUnavailable(failure)) databaseOutage.report(this.logger, text, cause);
    else this.logger.error(`${text}: ${describeError(failure)}`);
  }
}

function undecidedOf(failure: unknown): Undecided {
  const { retryAfterSeconds } =
    failure instanceof UnavailableError ? failure : { retryAfterSeconds: RETRY_AFTER_SECONDS };
  return { valid: false, code: 'UNAVAILABLE', retryAfterSeconds };
}
