import { randomInt } from 'node:crypto';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import type { BenchDatabase } from './database.js';
import { ROUNDS } from './load.js';
import { verifyBody } from './requests.js';
import { hashesPerSecond, storeKeys } from './stored-keys.js';

/** Keys drawn uniformly, with repetition, for a service with a full cache. */
export interface Draws {
  /** The content of the cache when the first round begins. */
  known: KeyPair[];
  /** A body for each draw of each round. */
  rounds: string[][];
  sample: KeyPair;
  /** The number of keys in the database. */
  stored: number;
}

/** Surplus of draws over what argon2 alone allows. */
const MARGIN = 1.6;

/**
 * Draws before it stores, so that only cached or drawn keys need a hash; for the service that is equivalent to hashing
 * all of them. Of the keys 0, 1, 2, ... the first ones are cached.
 */
export async function drawUniformly(
  database: BenchDatabase,
  { keys, known, seconds }: { keys: number; known: number; seconds: number },
): Promise<Draws> {
  const count = Math.ceil((await hashesPerSecond()) * seconds * MARGIN);
  const rounds = Array.from({ length: ROUNDS }, () => Array.from({ length: count }, () => randomInt(keys)));
  const unknown = [...new Set(rounds.flat())].filter((key) => key >= known);
  const pairs = await storeKeys(database, known + unknown.length);
  const places = new Map(unknown.map((key, index) => [key, known + index]));
  const pairOf = (key: number) => pairs[places.get(key) ?? key] as KeyPair;
  return {
    known: pairs.slice(0, known),
    rounds: rounds.map((draws) => draws.map((key) => verifyBody(pairOf(key)))),
    sample: pairOf(0),
    stored: pairs.length,
  };
}
