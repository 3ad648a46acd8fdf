import { at } from '../../test/moments.js';
import { termsOf } from '../../test/terms.js';
import { PAIR, TestKnowledge } from '../../test/test-knowledge.js';
import { Grant } from './grant.js';

let knowledge: TestKnowledge;

beforeEach(() => {
  knowledge = new TestKnowledge();
});

describe('a refused pair', () => {
  beforeEach(() => {
    knowledge.start();
  });

  function refuse(question = knowledge.question()) {
    knowledge.keepRefusal(PAIR, question);
  }

  it('is recalled for a minute', () => {
    refuse();
    expect(knowledge.refusesPair).toBe(true);
    knowledge.testClock.time = at(59_999);
    knowledge.learn();
    expect(knowledge.refusesPair).toBe(true);
    knowledge.testClock.time = at(60_000);
    expect(knowledge.refusesPair).toBe(false);
    expect(knowledge.refusals).toBe(0);
  });

  it('is not recalled while what is known is too old', () => {
    refuse();
    knowledge.testClock.time = at(900);
    expect(knowledge.refusesPair).toBe(false);
  });

  it('is not kept while what is known is too old', () => {
    knowledge.testClock.time = at(900);
    refuse();
    expect(knowledge.refusals).toBe(0);
  });

  it('is not kept if a change arrives, or everything is forgotten, while the service is asked', () => {
    let question = knowledge.question();
    knowledge.learn({ changed: [{ keyHash: 'another', at: 105n }] });
    refuse(question);
    question = knowledge.question();
    knowledge.forgetEverything();
    knowledge.start();
    refuse(question);
    expect(knowledge.refusals).toBe(0);
  });

  it('is forgotten by a change of its key, and with everything', () => {
    refuse();
    knowledge.learn({ changed: [{ keyHash: PAIR.keyHash, at: 105n }] });
    expect(knowledge.refusesPair).toBe(false);
    refuse();
    knowledge.forgetEverything();
    expect(knowledge.refusals).toBe(0);
  });
});

describe('while the service does not answer', () => {
  const STALE_MS = 5_000;

  function recallStale(staleMs = STALE_MS) {
    return knowledge.recallStale(PAIR.digest, knowledge.testClock.now(), staleMs);
  }

  beforeEach(() => {
    knowledge.start();
    knowledge.keepPair();
  });

  it('a grant is recalled for the bound and the time that is allowed', () => {
    knowledge.testClock.time = at(6_000);
    expect(recallStale()).toBeInstanceOf(Grant);
    knowledge.testClock.time = at(6_001);
    expect(recallStale()).toBeUndefined();
  });

  it('no grant is recalled if none is allowed', () => {
    expect(recallStale(0)).toBeUndefined();
  });

  it('no grant is recalled beyond its own life', () => {
    knowledge.keepPair({ expiresInMs: 2_000 });
    knowledge.testClock.time = at(2_000);
    expect(recallStale()).toBeUndefined();
  });

  it('no grant is recalled after another epoch was seen, be it in a verdict', () => {
    knowledge.keep({ digest: 'other', keyHash: 'other' }, knowledge.question(), termsOf({ epoch: 'f' }));
    expect(recallStale()).toBeUndefined();
  });
});
