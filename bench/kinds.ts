import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { type IssuedKey, pairHeaders } from '../test/support/keys.js';
import { sessionOf } from '../test/support/sessions.js';
import type { BenchDatabase } from './database.js';
import { CONNECTIONS, load, type Round, ROUND_SECONDS, ROUNDS, WARM_UP_SECONDS, type Work } from './load.js';
import type { Measured } from './process.js';
import { authorize, issue, read, verify, verifyBatch, verifyBody, verifyMadeUp } from './requests.js';
import { hashesPerSecond, storeKeys } from './stored-keys.js';

/** A service with cached keys of many owners, and with ten keys of `READER`. */
export interface Build {
  service: Measured;
  database: BenchDatabase;
  pairs: readonly KeyPair[];
  readerKey: IssuedKey;
}

export const READER = 'reader';

/** Owners whose keys are issued in turn: changes of one owner wait for each other. */
const ISSUERS = Array.from({ length: 50 }, (_, index) => sessionOf(`issuer-${index}`).authorization);
const TEST_AUTHENTICATION = '/api/apiKeys/testAuthentication';
/** Surplus of unknown keys over what argon2 alone allows. */
const MARGIN = 1.3;

/** One round, or a warm-up. */
export type Run = (seconds: number) => Promise<Round>;

/** The kinds of work that are compared between two builds; each prepares a build for its rounds. */
export const KINDS: Record<string, (build: Build) => Run | Promise<Run>> = {
  verify: repeated(({ pairs }) => verify('verify', firstOf(pairs))),
  batch: repeated(({ pairs }) => verifyBatch('batch', pairs)),
  authorize: repeated(({ pairs }) => authorize('authorize', firstOf(pairs))),
  'made-up': repeated(() => verifyMadeUp('made-up')),
  cold,
  issue: repeated(() => ({ ...issue('issue', sessionOf('issuer')), authorizations: ISSUERS })),
  read: repeated(({ readerKey }) => read('read', `/api/apiKeys/${readerKey.id}`, sessionOf(READER))),
  list: repeated(() => read('list', '/api/apiKeys/list', sessionOf(READER))),
  'test-session': repeated(() => read('test-session', TEST_AUTHENTICATION, sessionOf(READER))),
  'test-key': repeated(({ readerKey }) => read('test-key', TEST_AUTHENTICATION, pairHeaders(readerKey))),
};

function repeated(workOn: (build: Build) => Work): (build: Build) => Run {
  return (build) => {
    const work = workOn(build);
    return (seconds) => load(build.service, work, seconds);
  };
}

/** Every request has another key, also over several rounds. */
async function cold({ service, database, pairs }: Build): Promise<Run> {
  const seconds = WARM_UP_SECONDS + ROUNDS * ROUND_SECONDS;
  const stored = await storeKeys(database, Math.ceil((await hashesPerSecond()) * seconds * MARGIN));
  const work = { ...verify('cold', firstOf(pairs)), eachOnce: true };
  let bodies = stored.map(verifyBody);
  return async (roundSeconds) => {
    const round = await load(service, { ...work, bodies }, roundSeconds);
    // Requests without an answer at the end of the round have been sent too
    bodies = bodies.slice(round.answers + CONNECTIONS);
    return round;
  };
}

function firstOf(pairs: readonly KeyPair[]): KeyPair {
  const [pair] = pairs;
  if (!pair) throw new Error('no key was stored');
  return pair;
}
