import type { Clock, Moment } from './clock.js';
import { accessRefusal, changeHandle, type KeyPair } from './decision/index.js';
import type { Grant } from './knowledge/grant.js';
import type { Knowledge } from './knowledge/knowledge.js';
import { PairDigests } from './knowledge/pair-digest.js';
import { isPossible, pairOf } from './input/presented.js';
import type { Reporter } from './reports/reporter.js';
import type { LocalCode } from './reports/tally.js';
import { readRequired, type Requirements } from './input/required.js';
import { NoAnswerError } from './service/answer.js';
import { Turns } from './service/turns.js';
import type { VerdictQuestions } from './service/verdict-questions.js';
import type { StateOfGuard } from './state.js';
import type { Statistics } from './statistics/statistics.js';
import type { GuardState, GuardVerdict, Presented, Required } from './types.js';
import { GuardUnavailableError, unavailable } from './unavailable-error.js';
import { invalidCredentials, verdictOn } from './verdicts.js';

/** The states in which the service may be asked. */
const ANSWERS: ReadonlySet<GuardState> = new Set(['cold', 'fresh', 'stale']);

/** What a decision is made with. */
export interface DeciderParts {
  readonly clock: Clock;
  readonly knowledge: Knowledge;
  readonly state: StateOfGuard;
  readonly questions: VerdictQuestions;
  readonly reporter: Reporter;
  readonly statistics: Statistics;
}

/** Decides here where nothing can have escaped the guard, and asks the service otherwise. */
export class Decider {
  private readonly digests = new PairDigests();
  private readonly turns: Turns;

  /** @param staleMs for how long known keys are accepted beyond the bound while the service does not answer */
  constructor(
    private readonly parts: DeciderParts,
    private readonly staleMs: number,
  ) {
    this.turns = new Turns(parts.clock);
  }

  /** See `Guard.check()`. */
  check(presented: Presented, required: Required | undefined): GuardVerdict | Promise<GuardVerdict> {
    const requirements = readRequired(required);
    const pair = pairOf(presented);
    if (!pair) return this.parts.statistics.count(invalidCredentials('local'));
    const digest = this.digests.of(pair);
    const verdict = this.decideHere(digest, requirements);
    return verdict ? this.parts.statistics.count(verdict) : this.decideElsewhere(pair, digest, requirements);
  }

  private decideElsewhere(
    pair: KeyPair,
    digest: string,
    requirements: Requirements,
  ): GuardVerdict | Promise<GuardVerdict> {
    const { statistics } = this.parts;
    const failed = (error: unknown): never => {
      if (error instanceof GuardUnavailableError) statistics.decided.unavailable++;
      throw error;
    };
    try {
      const verdict = this.decideWithoutService(pair, digest, requirements);
      if (verdict) return statistics.count(verdict);
    } catch (error) {
      return failed(error);
    }
    const asked = this.turns.run(digest, () => this.askInTurn(pair, digest, requirements));
    return asked.then((verdict) => statistics.count(verdict), failed);
  }

  /** The verdict if the guard may give it. */
  private decideHere(digest: string, requirements: Requirements): GuardVerdict | undefined {
    const now = this.parts.clock.now();
    const { knowledge } = this.parts;
    const grant = knowledge.recall(digest, now);
    if (grant) return this.decideOn(grant, requirements, now, 'local');
    return knowledge.isRefused(digest, now) ? invalidCredentials('local') : undefined;
  }

  /**
   * The verdict if it needs no question, or can't be had by one.
   *
   * @throws GuardUnavailableError
   */
  private decideWithoutService(pair: KeyPair, digest: string, requirements: Requirements): GuardVerdict | undefined {
    if (!isPossible(pair)) return invalidCredentials('local');
    const { state } = this.parts;
    state.notice();
    const { current } = state;
    if (ANSWERS.has(current)) return undefined;
    const stale = current === 'away' ? this.decideStale(digest, requirements) : undefined;
    return stale ?? fail(unavailable(current, state.silence));
  }

  /** The verdict on a known key while the service does not answer, if that is allowed. */
  private decideStale(digest: string, requirements: Requirements): GuardVerdict | undefined {
    const now = this.parts.clock.now();
    const grant = this.parts.knowledge.recallStale(digest, now, this.staleMs);
    return grant && this.decideOn(grant, requirements, now, 'stale');
  }

  /**
   * `undefined` for what the service has to decide: a cost other than 1, which reports cannot express, and a scope that an
   * admin key may have by now, or that does not exist.
   */
  private decideOn(
    grant: Grant,
    requirements: Requirements,
    now: Moment,
    source: 'local' | 'stale',
  ): GuardVerdict | undefined {
    if (requirements.cost !== 1) return undefined;
    const code = (accessRefusal(grant, requirements, now.wall) ?? 'VALID') as LocalCode;
    if (code === 'INSUFFICIENT_SCOPE' && grant.granted.isAdmin) return undefined;
    this.parts.reporter.count(grant, code, now, requirements.ip);
    return verdictOn(grant, code, source);
  }

  /** Much may have changed since the question was asked for. */
  private async askInTurn(pair: KeyPair, digest: string, requirements: Requirements): Promise<GuardVerdict> {
    const verdict = this.decideHere(digest, requirements) ?? this.decideWithoutService(pair, digest, requirements);
    if (verdict) return verdict;
    try {
      return await this.parts.questions.ask(pair, { digest, keyHash: changeHandle(pair.apiKey) }, requirements);
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      const isClosed = this.parts.state.current === 'closed';
      return this.decideStale(digest, requirements) ?? fail(unavailable(isClosed ? 'closed' : 'away', error.message));
    }
  }
}

function fail(error: Error): never {
  throw error;
}
