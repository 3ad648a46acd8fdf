import type { Verdict } from './verdict.js';
import type { VerifyRequest } from './verifier.js';

/** Replaces a verdict that cannot be determined now; nothing was charged. */
export interface Undecided {
  valid: false;
  code: 'UNAVAILABLE';
  retryAfterSeconds: number;
}

export type BatchVerdict = Verdict | Undecided;

export type Verify = (request: VerifyRequest) => Verdict | Promise<Verdict>;

interface BatchContext {
  verify: Verify;
  /** The cap on waiting requests of this batch, as of now. */
  maxWaiting(): number;
  addWaiting(change: 1 | -1): void;
  /** The answer for a request that failed. */
  undecided(failure: unknown): Undecided;
}

/** Requests that have not started by then are not started: the client has probably given up. */
const MAX_MS = 5_000;
const TOO_LATE: Undecided = { valid: false, code: 'UNAVAILABLE', retryAfterSeconds: 1 };

/** The part of one batch that has to wait, for the database or for Redis. Runs a few requests concurrently. */
export class BatchRun {
  private readonly startedAt = performance.now();
  private readonly waiting = new Set<Promise<BatchVerdict>>();
  /** By `api_key`, the last request with the key: the next one waits for it. */
  private readonly latest = new Map<string, Promise<BatchVerdict>>();

  /** @param verdicts on the first requests, which are decided */
  constructor(
    private readonly requests: readonly VerifyRequest[],
    private readonly verdicts: BatchVerdict[],
    private readonly context: BatchContext,
  ) {}

  /** @param first the verdict on the first undecided request, which has started */
  async finish(first: Promise<Verdict>): Promise<BatchVerdict[]> {
    const { requests, verdicts, waiting } = this;
    let started: Promise<Verdict> | undefined = first;
    for (let index = verdicts.length; index < requests.length; index++) {
      while (waiting.size >= this.context.maxWaiting()) await Promise.race(waiting);
      const request = requests[index] as VerifyRequest;
      const verdict = started ?? this.start(request);
      if (verdict instanceof Promise) this.settle(index, request, verdict);
      else verdicts[index] = verdict;
      started = undefined;
    }
    await Promise.all(waiting);
    return verdicts;
  }

  private start(request: VerifyRequest): BatchVerdict | Promise<BatchVerdict> {
    const decide = () => (performance.now() - this.startedAt > MAX_MS ? TOO_LATE : this.context.verify(request));
    const previous = this.latest.get(request.pair.apiKey);
    return previous ? previous.then((verdict) => (verdict.code === 'UNAVAILABLE' ? verdict : decide())) : decide();
  }

  private settle(index: number, { pair }: VerifyRequest, verdict: Promise<BatchVerdict>): void {
    const { context, waiting } = this;
    context.addWaiting(1);
    const settled = verdict
      .catch((failure: unknown) => context.undecided(failure))
      .then((outcome) => {
        context.addWaiting(-1);
        waiting.delete(settled);
        this.verdicts[index] = outcome;
        return outcome;
      });
    waiting.add(settled);
    this.latest.set(pair.apiKey, settled);
  }
}
