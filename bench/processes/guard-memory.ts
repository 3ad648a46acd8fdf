import { readFileSync } from 'node:fs';
import { createGuard } from '@w3ipfs/api-keys-guard';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { type GuardSetup, SCOPE } from '../guard-setup.js';

/** What a guard holds for known keys. */
export interface GuardMemory {
  keys: number;
  /** Bytes of the heap and of buffers, after a full garbage collection. */
  bytes: number;
}

/** Lets a guard learn every pair of a file, and prints what that takes. Needs `--expose-gc`. */
const AT_ONCE = 100;
const WARM_UP = 1_000;

const { file, ...setup } = JSON.parse(process.argv[2] ?? '{}') as GuardSetup & { file: string };
const guard = createGuard(setup);
await guard.ready();
await learn(readPairs(0, WARM_UP));
const [keysBefore, bytesBefore] = [guard.stats().keys, usedBytes()];
await learn(readPairs(WARM_UP));
const [keys, bytes] = [guard.stats().keys - keysBefore, usedBytes() - bytesBefore];
await guard.close();
console.log(JSON.stringify({ keys, bytes }));

/** Read again each time: what the file holds is not to be counted. */
function readPairs(from: number, to?: number): KeyPair[] {
  return (JSON.parse(readFileSync(file, 'utf8')) as KeyPair[]).slice(from, to);
}

async function learn(pairs: KeyPair[]): Promise<void> {
  for (let first = 0; first < pairs.length; first += AT_ONCE) {
    const some = pairs.slice(first, first + AT_ONCE).map(async (pair) => guard.check(pair, { scope: SCOPE }));
    if (!(await Promise.all(some)).every(({ valid }) => valid)) throw new Error('a key was refused');
  }
}

function usedBytes(): number {
  if (!globalThis.gc) throw new Error('start it with --expose-gc');
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
