import { randomInt } from 'node:crypto';
import type { KeyPair } from '../src/principals/key-pair.js';
import type { BenchDatabase } from './database.js';
import { ROUNDS } from './load.js';
import { verifyBody } from './requests.js';
import { hashesPerSecond, storeKeys } from './stored-keys.js';

/** Keys drawn uniformly, with repetition, for a service whose cache is as full as it gets. */
export interface Draws {
  /** What the cache has to hold when the first round begins. */
  known: KeyPair[];
  /** A body for each draw of each round. */
  rounds: string[][];
  sample: KeyPair;
  /** How many keys were put into the database. */
  stored: number;
}

/** How many more draws there are than argon2 alone would let a service make. */
const MARGIN = 1.6;

/**
 * Draws first and stores then, so that only keys that are known or drawn cost a hash: to the service, that is
 * the same as if all of them had one. Of the keys 0, 1, 2, ... the first ones are known.
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
