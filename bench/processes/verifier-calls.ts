import { setImmediate as turn } from 'node:timers/promises';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import type { Requirements } from '../../src/verification/verdict.js';
import { builtApp, builtStatistics, builtVerifier } from './built-app.js';

export interface Rates {
  counted: number[];
  uncounted: number[];
}

/**
 * Prints how many verdicts a second `Verifier` gives on a cached key, in several rounds; and, in alternating rounds,
 * how many without statistics.
 */
const ROUNDS = 5;
const ROUND_MS = 1_000;
/** Calls between two turns of the event loop, which keep the invalidation feed up to date. */
const CALLS_A_TURN = 1_000;

const pair = JSON.parse(process.argv[2] ?? '{}') as KeyPair;
const need: Requirements = { scopes: ['pinning.unpin'], ip: undefined, cost: 1 };
const app = await builtApp();
const verifier = await builtVerifier(app);
await verifier.verify(pair, need);

async function round(): Promise<number> {
  const began = performance.now();
  let calls = 0;
  while (performance.now() - began < ROUND_MS) {
    for (let call = 0; call < CALLS_A_TURN; call++) {
      const verdict = verifier.verify(pair, need);
      if (verdict instanceof Promise || !verdict.valid) throw new Error('a known key was not at hand');
    }
    calls += CALLS_A_TURN;
    await turn();
  }
  return (calls / (performance.now() - began)) * 1_000;
}

const statistics = await builtStatistics(app);
const rates: Rates = { counted: [], uncounted: [] };
for (let count = 0; count < ROUNDS; count++) {
  rates.counted.push(await round());
  Object.assign(statistics, { count: () => undefined });
  rates.uncounted.push(await round());
  Reflect.deleteProperty(statistics, 'count');
}
await app.close();
console.log(JSON.stringify(rates));
process.exit();
