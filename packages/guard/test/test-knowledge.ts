import { Knowledge } from '../src/knowledge/knowledge.js';
import type { GrantTerms } from '../src/knowledge/grant.js';
import type { ChangesAnswer, NotKept } from '../src/knowledge/questions.js';
import { TestClock } from './moments.js';
import { termsOf } from './terms.js';

export const PAIR = { digest: 'digest', keyHash: 'hash' };

/** What a guard knows that is answered in no time. */
export class TestKnowledge extends Knowledge {
  readonly testClock: TestClock;

  constructor(loggedKeys = 10) {
    const clock = new TestClock();
    super(clock, { cacheKeys: 10, loggedKeys });
    this.testClock = clock;
  }

  learn(changes: Partial<ChangesAnswer> = {}): boolean {
    return this.apply(this.changesQuestion(), answerOf(changes));
  }

  start(): void {
    this.learn();
    this.learn();
  }

  keepPair(terms: Partial<GrantTerms> = {}): NotKept | undefined {
    return this.keep(PAIR, this.question(), termsOf(terms));
  }

  recallPair() {
    return this.recall(PAIR.digest, this.testClock.now());
  }

  get refusesPair(): boolean {
    return this.isRefused(PAIR.digest, this.testClock.now());
  }

  get isFresh(): boolean {
    return this.isFreshAt(this.testClock.now());
  }
}

export function answerOf(changes: Partial<ChangesAnswer> = {}): ChangesAnswer {
  return { epoch: 'e', position: 100n, ageMs: 0, heldMs: 0, boundMs: 1_000, changed: [], ...changes };
}
