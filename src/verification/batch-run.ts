import type { Verdict } from './verdict.js';
import type { VerifyRequest } from './verifier.js';

/** In place of a verdict that cannot be come to now; nothing was charged for it. */
export interface Undecided {
  valid: false;
  code: 'UNAVAILABLE';
  retryAfterSeconds: number;
}

export type BatchVerdict = Verdict | Undecided;

export type Verify = (request: VerifyRequest) => Verdict | Promise<Verdict>;

interface Surroundings {
  verify: Verify;
  /** How many requests of this batch may wait at once. */
  mostWaiting(): number;
  /** One more waits, or one less. */
  count(change: 1 | -1): void;
  /** What is answered where a request could not be decided. */
  undecided(failure: unknown): Undecided;
}

/** What has not begun after so long is not begun any more: nobody would wait for its answer. */
const MAX_MS = 5_000;
const TOO_LATE: Undecided = { valid: false, code: 'UNAVAILABLE', retryAfterSeconds: 1 };

/** The part of one batch that has to wait, for the database or for Redis: some at once, and each settles for itself. */
export class BatchRun {
  private readonly began = performance.now();
  private readonly waiting = new Set<Promise<BatchVerdict>>();
  /** What the last request on each key comes to: the next one has to wait for it. */
  private readonly latest = new Map<string, Promise<BatchVerdict>>();

  /** @param outcomes those of the first requests, which are decided */
  constructor(
    private readonly requests: readonly VerifyRequest[],
    private readonly outcomes: BatchVerdict[],
    private readonly surroundings: Surroundings,
  ) {}

  /** @param first what the next request comes to, which has begun */
  async finish(first: Promise<Verdict>): Promise<BatchVerdict[]> {
    const { requests, outcomes, waiting } = this;
    let begun: Promise<Verdict> | undefined = first;
    for (let index = outcomes.length; index < requests.length; index++) {
      while (waiting.size >= this.surroundings.mostWaiting()) await Promise.race(waiting);
      const request = requests[index] as VerifyRequest;
      const outcome = begun ?? this.begin(request);
      if (outcome instanceof Promise) this.settle(index, request, outcome);
      else outcomes[index] = outcome;
      begun = undefined;
    }
    await Promise.all(waiting);
    return outcomes;
  }

  private begin(request: VerifyRequest): BatchVerdict | Promise<BatchVerdict> {
    const decide = () => (performance.now() - this.began > MAX_MS ? TOO_LATE : this.surroundings.verify(request));
    const before = this.latest.get(request.pair.apiKey);
    return before ? before.then((one) => (one.code === 'UNAVAILABLE' ? one : decide())) : decide();
  }

  private settle(index: number, { pair }: VerifyRequest, outcome: Promise<BatchVerdict>): void {
    const { surroundings, waiting } = this;
    surroundings.count(1);
    const settled = outcome
      .catch((failure: unknown) => surroundings.undecided(failure))
      .then((one) => {
        surroundings.count(-1);
        waiting.delete(settled);
        this.outcomes[index] = one;
        return one;
      });
    waiting.add(settled);
    this.latest.set(pair.apiKey, settled);
  }
}
