import { type ChangesAnswer, Knowledge } from './knowledge.js';
import { Grant, type GrantTerms } from './grant.js';
import { RefusedPair } from './refused-pair.js';
import { at, TestClock } from '../../test/moments.js';
import { termsOf } from '../../test/terms.js';

const PAIR = { digest: 'digest', keyHash: 'hash' };
let clock: TestClock;
let knowledge: Knowledge;

beforeEach(() => {
  clock = new TestClock();
  knowledge = new Knowledge(clock, { cacheKeys: 10 });
});

function answer(changes: Partial<ChangesAnswer> = {}): ChangesAnswer {
  return { epoch: 'e', position: 100n, ageMs: 0, heldMs: 0, boundMs: 1_000, changed: [], ...changes };
}

/** Asks and is answered in no time. */
function learn(changes: Partial<ChangesAnswer> = {}): boolean {
  return knowledge.apply(knowledge.changesQuestion(), answer(changes));
}

function begin(): void {
  learn();
  learn();
}

function keep(terms: Partial<GrantTerms> = {}) {
  return knowledge.keep(PAIR, knowledge.question(), termsOf(terms));
}

function recall() {
  return knowledge.recall(PAIR.digest, clock.now());
}

describe('the beginning', () => {
  it('is asked for without a position, then from the position that was answered', () => {
    expect(knowledge.changesQuestion().since).toBeUndefined();
    learn({ position: 7n });
    expect(knowledge.changesQuestion()).toMatchObject({ since: 7n, epoch: 'e' });
  });

  it('vouches for nothing: changes from that position on are yet to be told', () => {
    learn();
    expect(knowledge.isFreshAt(clock.now())).toBe(false);
    learn();
    expect(knowledge.isFreshAt(clock.now())).toBe(true);
  });
});

describe('a grant', () => {
  it('is recalled while what is known is fresh', () => {
    begin();
    expect(keep()).toBeUndefined();
    expect(recall()).toBeInstanceOf(Grant);
    clock.time = at(899);
    expect(recall()).toBeInstanceOf(Grant);
    clock.time = at(900);
    expect(recall()).toBeUndefined();
    learn();
    expect(recall()).toBeInstanceOf(Grant);
  });

  it('is not kept while what is known is too old', () => {
    begin();
    clock.time = at(900);
    expect(keep()).toBe('stale');
  });

  it('is not kept from before the log', () => {
    begin();
    expect(keep({ position: 99n })).toBe('position');
  });

  it('is not kept from another epoch', () => {
    begin();
    expect(keep({ epoch: 'f' })).toBe('epoch');
  });

  it('is not kept if the key changed since, or another key on which it depends', () => {
    begin();
    learn({ changed: [{ keyHash: PAIR.keyHash, at: 105n }] });
    expect(keep({ position: 105n })).toBe('changed');
    expect(keep({ position: 106n })).toBeUndefined();
    learn({ changed: [{ keyHash: 'issuer', at: 107n }] });
    expect(keep({ position: 107n, forgetOn: ['issuer'] })).toBe('changed');
  });

  it('is not kept if the change arrives while the service is asked', () => {
    begin();
    const question = knowledge.question();
    learn({ changed: [{ keyHash: PAIR.keyHash, at: null }] });
    expect(knowledge.keep(PAIR, question, termsOf({ position: 1_000n }))).toBe('changed');
  });

  it('is not kept if everything is forgotten while the service is asked', () => {
    begin();
    const question = knowledge.question();
    knowledge.forgetEverything();
    begin();
    expect(knowledge.keep(PAIR, question, termsOf())).toBe('forgotten');
  });

  it('is not kept if it is over', () => {
    begin();
    expect(keep({ expiresInMs: 0 })).toBe('over');
  });

  it('is forgotten when it is over', () => {
    begin();
    keep({ expiresInMs: 50 });
    clock.time = at(50);
    expect(recall()).toBeUndefined();
    expect(knowledge.keys).toBe(0);
  });

  it.each([105n, null])('is forgotten by a change of its key with the date %s', (date) => {
    begin();
    keep();
    expect(learn({ changed: [{ keyHash: PAIR.keyHash, at: date }] })).toBe(true);
    expect(recall()).toBeUndefined();
  });

  it('is not forgotten by a change that is told once more', () => {
    begin();
    const changed = [{ keyHash: PAIR.keyHash, at: 105n }];
    learn({ changed });
    keep({ position: 106n });
    expect(learn({ changed })).toBe(false);
    expect(recall()).toBeInstanceOf(Grant);
  });
});

describe('an answer', () => {
  it('that comes late does not move the cursor back', () => {
    begin();
    const [first, second] = [knowledge.changesQuestion(), knowledge.changesQuestion()];
    knowledge.apply(second, answer({ position: 120n }));
    knowledge.apply(first, answer({ position: 110n }));
    expect(knowledge.changesQuestion().since).toBe(120n);
  });

  it('from before everything was forgotten is ignored', () => {
    begin();
    const question = knowledge.changesQuestion();
    knowledge.forgetEverything();
    knowledge.apply(question, answer({ position: 200n }));
    expect(knowledge.changesQuestion().since).toBeUndefined();
  });

  it('of another epoch begins anew', () => {
    begin();
    keep();
    learn({ epoch: 'f', position: 3n });
    expect(knowledge.keys).toBe(0);
    expect(knowledge.isFreshAt(clock.now())).toBe(false);
    expect(knowledge.changesQuestion()).toMatchObject({ since: 3n, epoch: 'f' });
    expect(knowledge.forgotten).toBe(1);
  });

  it('with more changes than the log can hold begins anew', () => {
    knowledge = new Knowledge(clock, { cacheKeys: 10, loggedKeys: 1 });
    begin();
    learn({ changed: ['a', 'b'].map((keyHash) => ({ keyHash, at: null })) });
    expect(knowledge.changesQuestion().since).toBeUndefined();
    expect(knowledge.isFreshAt(clock.now())).toBe(false);
  });
});

describe('a refused pair', () => {
  beforeEach(() => {
    begin();
  });

  function refuse(question = knowledge.question()) {
    knowledge.keepRefusal(PAIR, question);
  }

  it('is recalled for a minute', () => {
    refuse();
    expect(recall()).toBeInstanceOf(RefusedPair);
    clock.time = at(59_999);
    learn();
    expect(recall()).toBeInstanceOf(RefusedPair);
    clock.time = at(60_000);
    expect(recall()).toBeUndefined();
    expect(knowledge.refusals).toBe(0);
  });

  it('is not recalled while what is known is too old', () => {
    refuse();
    clock.time = at(900);
    expect(recall()).toBeUndefined();
  });

  it('is not kept while what is known is too old', () => {
    clock.time = at(900);
    refuse();
    expect(knowledge.refusals).toBe(0);
  });

  it('is not kept if a change arrives, or everything is forgotten, while the service is asked', () => {
    let question = knowledge.question();
    learn({ changed: [{ keyHash: 'another', at: 105n }] });
    refuse(question);
    question = knowledge.question();
    knowledge.forgetEverything();
    begin();
    refuse(question);
    expect(knowledge.refusals).toBe(0);
  });

  it('is forgotten by a change of its key, and with everything', () => {
    refuse();
    learn({ changed: [{ keyHash: PAIR.keyHash, at: 105n }] });
    expect(recall()).toBeUndefined();
    refuse();
    knowledge.forgetEverything();
    expect(knowledge.refusals).toBe(0);
  });
});

describe('while the service does not answer', () => {
  const STALE_MS = 5_000;

  function recallStale(staleMs = STALE_MS) {
    return knowledge.recallStale(PAIR.digest, clock.now(), staleMs);
  }

  beforeEach(() => {
    begin();
    keep();
  });

  it('a grant is recalled for the bound and the time that is allowed', () => {
    clock.time = at(6_000);
    expect(recallStale()).toBeInstanceOf(Grant);
    clock.time = at(6_001);
    expect(recallStale()).toBeUndefined();
  });

  it('no grant is recalled if none is allowed', () => {
    expect(recallStale(0)).toBeUndefined();
  });

  it('no grant is recalled beyond its own life', () => {
    keep({ expiresInMs: 2_000 });
    clock.time = at(2_000);
    expect(recallStale()).toBeUndefined();
  });

  it('no grant is recalled after another epoch was seen, be it in a verdict', () => {
    knowledge.keep({ digest: 'other', keyHash: 'other' }, knowledge.question(), termsOf({ epoch: 'f' }));
    expect(recallStale()).toBeUndefined();
  });
});
