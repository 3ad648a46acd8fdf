import { ApiKey, NEW_KEY } from '../../api-keys/api-key.entity.js';
import { TestClock } from '../../../test/support/clock.js';
import type { InvalidationFeed, InvalidationListener } from '../invalidation-feed.js';
import type { SecretVerifier } from '../secret-verifier.js';
import { KeyCache } from './key-cache.js';
import type { KeyLoader } from './key-loader.js';
import { KeyLookup } from './key-lookup.js';
import { StalePolicy } from './stale-policy.js';

const PAIR = { apiKey: 'w3k_a', secretKey: 'w3s_b' };

function record(revokedAt: Date | null): ApiKey {
  return Object.assign(
    new ApiKey(),
    { ...NEW_KEY },
    {
      id: 'id',
      ownerId: 'ann',
      name: 'a key',
      identifier: PAIR.apiKey,
      secretHash: '$argon2id$v=19$m=1024,t=1,p=1$a$b',
      scopes: { admin: true },
      revokedAt,
    },
  );
}

/** A lookup whose reads are answered by hand. */
function lookupByHand() {
  const reads: ((key: ApiKey) => void)[] = [];
  const loader = { load: () => new Promise((resolve) => reads.push(resolve)), isDatabaseRefused: false };
  const secretVerifier = { isGenuine: () => true, match: () => Promise.resolve('current') };
  let listener: InvalidationListener | undefined;
  const feed = { age: 0, isFresh: true, subscribe: (one: InvalidationListener) => (listener = one) };
  const lookup = new KeyLookup(
    new KeyCache({ keys: 10, bytes: 1e6 }, new TestClock()),
    new StalePolicy({ revocationBoundMs: 1_000, staleIfErrorSeconds: 0 }),
    loader as unknown as KeyLoader,
    secretVerifier as unknown as SecretVerifier,
    feed as unknown as InvalidationFeed,
  );
  const nextRead = async () => {
    while (reads.length === 0) await new Promise(setImmediate);
    return reads.shift() as (key: ApiKey) => void;
  };
  return { lookup, nextRead, changes: listener as unknown as InvalidationListener };
}

it('reads a cached key once more if it changes while it is read again', async () => {
  const { lookup, nextRead, changes } = lookupByHand();
  const first = lookup.find(PAIR);
  (await nextRead())(record(null));
  expect((await first)?.isRevoked).toBe(false);
  changes.anyMayHaveChanged(false);
  const again = lookup.find(PAIR);
  const answerOld = await nextRead();
  changes.changed([{ identifier: PAIR.apiKey, transactionId: '7' }]);
  answerOld(record(null));
  (await nextRead())(record(new Date()));
  expect((await again)?.isRevoked).toBe(true);
});
