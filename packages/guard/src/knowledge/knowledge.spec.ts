import { at } from '../../test/moments.js';
import { termsOf } from '../../test/terms.js';
import { answerOf, PAIR, TestKnowledge } from '../../test/test-knowledge.js';
import { Grant } from './grant.js';

let knowledge: TestKnowledge;

beforeEach(() => {
  knowledge = new TestKnowledge();
});

describe('the beginning', () => {
  it('is asked for without a position, then from the position that was answered', () => {
    expect(knowledge.changesQuestion().since).toBeUndefined();
    knowledge.learn({ position: 7n });
    expect(knowledge.changesQuestion()).toMatchObject({ since: 7n, epoch: 'e' });
  });

  it('vouches for nothing: changes from that position on are yet to be sent', () => {
    knowledge.learn();
    expect(knowledge.isFresh).toBe(false);
    knowledge.learn();
    expect(knowledge.isFresh).toBe(true);
  });
});

describe('a grant', () => {
  it('is recalled while what is known is fresh', () => {
    knowledge.start();
    expect(knowledge.keepPair()).toBeUndefined();
    expect(knowledge.recallPair()).toBeInstanceOf(Grant);
    knowledge.testClock.time = at(899);
    expect(knowledge.recallPair()).toBeInstanceOf(Grant);
    knowledge.testClock.time = at(900);
    expect(knowledge.recallPair()).toBeUndefined();
    knowledge.learn();
    expect(knowledge.recallPair()).toBeInstanceOf(Grant);
  });

  it('is not kept while what is known is too old', () => {
    knowledge.start();
    knowledge.testClock.time = at(900);
    expect(knowledge.keepPair()).toBe('stale');
  });

  it('is not kept from before the log', () => {
    knowledge.start();
    expect(knowledge.keepPair({ position: 99n })).toBe('position');
  });

  it('is not kept from another epoch', () => {
    knowledge.start();
    expect(knowledge.keepPair({ epoch: 'f' })).toBe('epoch');
  });

  it('is not kept if the key changed since, or another key on which it depends', () => {
    knowledge.start();
    knowledge.learn({ changed: [{ keyHash: PAIR.keyHash, at: 105n }] });
    expect(knowledge.keepPair({ position: 105n })).toBe('changed');
    expect(knowledge.keepPair({ position: 106n })).toBeUndefined();
    knowledge.learn({ changed: [{ keyHash: 'issuer', at: 107n }] });
    expect(knowledge.keepPair({ position: 107n, forgetOn: ['issuer'] })).toBe('changed');
  });

  it('is not kept if the change arrives while the service is asked', () => {
    knowledge.start();
    const question = knowledge.question();
    knowledge.learn({ changed: [{ keyHash: PAIR.keyHash, at: null }] });
    expect(knowledge.keep(PAIR, question, termsOf({ position: 1_000n }))).toBe('changed');
  });

  it('is not kept if everything is forgotten while the service is asked', () => {
    knowledge.start();
    const question = knowledge.question();
    knowledge.forgetEverything();
    knowledge.start();
    expect(knowledge.keep(PAIR, question, termsOf())).toBe('forgotten');
  });

  it('is not kept if it is over', () => {
    knowledge.start();
    expect(knowledge.keepPair({ expiresInMs: 0 })).toBe('over');
  });

  it('is forgotten when it is over', () => {
    knowledge.start();
    knowledge.keepPair({ expiresInMs: 50 });
    knowledge.testClock.time = at(50);
    expect(knowledge.recallPair()).toBeUndefined();
    expect(knowledge.keys).toBe(0);
  });

  it.each([105n, null])('is forgotten by a change of its key with the date %s', (date) => {
    knowledge.start();
    knowledge.keepPair();
    expect(knowledge.learn({ changed: [{ keyHash: PAIR.keyHash, at: date }] })).toBe(true);
    expect(knowledge.recallPair()).toBeUndefined();
  });

  it('is not forgotten by a change that is sent once more', () => {
    knowledge.start();
    const changed = [{ keyHash: PAIR.keyHash, at: 105n }];
    knowledge.learn({ changed });
    knowledge.keepPair({ position: 106n });
    expect(knowledge.learn({ changed })).toBe(false);
    expect(knowledge.recallPair()).toBeInstanceOf(Grant);
  });
});

describe('an answer', () => {
  it('that comes late does not move the cursor back', () => {
    knowledge.start();
    const [first, second] = [knowledge.changesQuestion(), knowledge.changesQuestion()];
    knowledge.apply(second, answerOf({ position: 120n }));
    knowledge.apply(first, answerOf({ position: 110n }));
    expect(knowledge.changesQuestion().since).toBe(120n);
  });

  it('from before everything was forgotten is ignored', () => {
    knowledge.start();
    const question = knowledge.changesQuestion();
    knowledge.forgetEverything();
    knowledge.apply(question, answerOf({ position: 200n }));
    expect(knowledge.changesQuestion().since).toBeUndefined();
  });

  it('of another epoch begins anew', () => {
    knowledge.start();
    knowledge.keepPair();
    knowledge.learn({ epoch: 'f', position: 3n });
    expect(knowledge.keys).toBe(0);
    expect(knowledge.isFresh).toBe(false);
    expect(knowledge.changesQuestion()).toMatchObject({ since: 3n, epoch: 'f' });
    expect(knowledge.forgotten).toBe(1);
  });

  it('with more changes than the log can hold begins anew', () => {
    knowledge = new TestKnowledge(1);
    knowledge.start();
    knowledge.learn({ changed: ['a', 'b'].map((keyHash) => ({ keyHash, at: null })) });
    expect(knowledge.changesQuestion().since).toBeUndefined();
    expect(knowledge.isFresh).toBe(false);
  });
});
