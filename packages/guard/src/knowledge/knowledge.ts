import type { Clock, Moment } from '../clock.js';
import { ChangeLog, type Change } from './change-log.js';
import { type AnswerTimes, Freshness, polledAt } from './freshness.js';
import { Grant, type GrantTerms } from './grant.js';
import { PairCache } from './pair-cache.js';
import type { ChangesAnswer, ChangesQuestion, NotKept, PairId, Question } from './questions.js';
import { RefusedPair } from './refused-pair.js';

const MAX_REFUSED_PAIRS = 10_000;

/** What the guard knows, and how old that is: it decides by itself only while no revocation can have escaped it. */
export class Knowledge {
  /** Counts how often everything was forgotten. Positions of different eras have no order. */
  era = 0;
  /** Changes that were applied. */
  news = 0;
  /** How often there was something to forget when everything was. */
  forgotten = 0;
  private epoch: string | undefined;
  private cursor: bigint | undefined;
  private sawOtherEpoch = false;
  private readonly log: ChangeLog;
  private readonly freshness = new Freshness();
  private readonly grants: PairCache<Grant>;
  private readonly refused = new PairCache<RefusedPair>(MAX_REFUSED_PAIRS);

  constructor(
    private readonly clock: Clock,
    { cacheKeys, loggedKeys }: { cacheKeys: number; loggedKeys?: number },
  ) {
    this.grants = new PairCache(cacheKeys);
    this.log = new ChangeLog(loggedKeys);
  }

  get keys(): number {
    return this.grants.size;
  }

  get refusals(): number {
    return this.refused.size;
  }

  /** The service's `REVOCATION_BOUND_MS`; 0 before the first answer. */
  get boundMs(): number {
    return this.freshness.boundMs;
  }

  /** The age of what is known, in milliseconds; `Infinity` if nothing is. */
  ageAt(now: Moment): number {
    return this.freshness.ageAt(now);
  }

  /** Whether the guard may decide by itself. */
  isFreshAt(now: Moment): boolean {
    return this.freshness.isFreshAt(now);
  }

  /** For how many milliseconds from now the guard may decide by itself; 0 or less if it may not. */
  freshForMsAt(now: Moment): number {
    return this.freshness.leftMsAt(now);
  }

  /** Asks for a verdict now. */
  question(): Question {
    return { sent: this.clock.now(), era: this.era, news: this.news };
  }

  /** Asks for changes now. */
  changesQuestion(): ChangesQuestion {
    return { ...this.question(), since: this.cursor, epoch: this.epoch };
  }

  /**
   * Applies an answer: first its changes, then its age. An answer to a question from before everything was forgotten is
   * ignored.
   *
   * @returns whether it brought news
   */
  apply({ sent, era, since }: ChangesQuestion, answer: ChangesAnswer): boolean {
    if (era !== this.era) return false;
    this.freshness.setBound(answer.boundMs);
    // It does not list the changes from its position on, so it vouches for nothing yet
    if (since === undefined || answer.epoch !== this.epoch) return this.begin(answer);
    const times = { sent, arrived: this.clock.now(), heldMs: answer.heldMs, ageMs: answer.ageMs };
    const isNews = this.applyChanges(since, answer.changed, times);
    if (answer.position > (this.cursor ?? since)) this.cursor = answer.position;
    if (this.log.trim()) this.freshness.advance(times);
    else this.forgetEverything();
    return isNews;
  }

  private begin({ epoch, position }: ChangesAnswer): boolean {
    this.forgetEverything();
    this.epoch = epoch;
    this.cursor = position;
    this.log.begin(position);
    return true;
  }

  private applyChanges(since: bigint, changed: readonly Change[], times: AnswerTimes): boolean {
    const before = this.news;
    for (const change of changed) {
      if (!this.log.record(change, times.arrived)) continue;
      this.news++;
      this.grants.forget(change.keyHash);
      this.refused.forget(change.keyHash);
    }
    this.log.settle(since, polledAt(times));
    return this.news !== before;
  }

  /** Forgets all; the next question about changes begins anew. */
  forgetEverything(): void {
    this.era++;
    if (this.epoch !== undefined) this.forgotten++;
    this.epoch = undefined;
    this.cursor = undefined;
    this.sawOtherEpoch = false;
    this.log.begin();
    this.freshness.reset();
    this.grants.clear();
    this.refused.clear();
  }

  /** Keeps a grant if no change can have escaped it; otherwise returns why not. */
  keep(pair: PairId, { sent, era }: Question, terms: GrantTerms): NotKept | undefined {
    const now = this.clock.now();
    if (this.epoch !== undefined && terms.epoch !== this.epoch) this.sawOtherEpoch = true;
    if (era !== this.era) return 'forgotten';
    if (!this.isFreshAt(now)) return 'stale';
    if (terms.epoch !== this.epoch) return 'epoch';
    if (!this.log.reaches(terms.position)) return 'position';
    for (const keyHash of [pair.keyHash, ...terms.forgetOn])
      if (!this.log.isNewer(terms.position, keyHash)) return 'changed';
    const grant = new Grant(pair.digest, pair.keyHash, terms, sent);
    if (grant.isOverAt(now)) return 'over';
    this.grants.put(grant);
    return undefined;
  }

  /** Remembers a refused pair, unless a change arrived while the service was asked. */
  keepRefusal({ digest, keyHash }: PairId, { sent, era, news }: Question): void {
    if (era !== this.era || news !== this.news || !this.isFreshAt(this.clock.now())) return;
    this.refused.put(new RefusedPair(digest, keyHash, sent));
  }

  /** The grant of a pair, if no revocation can have escaped the guard: the age is looked at in each decision. */
  recall(digest: string, now: Moment): Grant | undefined {
    return this.isFreshAt(now) ? current(this.grants, digest, now) : undefined;
  }

  /** Whether the service has refused the pair, and no change can have escaped the guard since. */
  isRefused(digest: string, now: Moment): boolean {
    return this.isFreshAt(now) && current(this.refused, digest, now) !== undefined;
  }

  /**
   * The grant of a pair while the service does not answer, for `staleMs` beyond the bound; none if the database
   * was seen to be another one, or another state of it.
   */
  recallStale(digest: string, now: Moment, staleMs: number): Grant | undefined {
    if (staleMs === 0 || this.sawOtherEpoch || this.ageAt(now) > this.boundMs + staleMs) return undefined;
    return current(this.grants, digest, now);
  }
}

/** The entry of a pair; one that is over is forgotten. */
function current<T extends Grant | RefusedPair>(cache: PairCache<T>, digest: string, now: Moment): T | undefined {
  const entry = cache.get(digest);
  if (!entry?.isOverAt(now)) return entry;
  cache.delete(entry);
  return undefined;
}
