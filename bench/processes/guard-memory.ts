import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
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
const AT_ONCE = 50;
const WARM_UP = 1_000;
const MAX_MS = 60_000;
const required = { scope: SCOPE };

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

/** The service knows the keys; on a busy machine it may still be too late with an answer, which then is not kept. */
async function learn(pairs: KeyPair[]): Promise<void> {
  const known = guard.stats().keys;
  for (const end = Date.now() + MAX_MS; guard.stats().keys < known + pairs.length;) {
    if (Date.now() > end) throw new Error(`only ${guard.stats().keys - known} of ${pairs.length} keys are known`);
    for (let first = 0; first < pairs.length; first += AT_ONCE) {
      await Promise.allSettled(pairs.slice(first, first + AT_ONCE).map(async (pair) => guard.check(pair, required)));
    }
  }
  while (isReporting()) await sleep(50);
}

/** Whether the guard still holds counts of its decisions. */
function isReporting(): boolean {
  const { decided, reported, unreported } = guard.stats();
  return reported + unreported < decided.local;
}

function usedBytes(): number {
  if (!globalThis.gc) throw new Error('start it with --expose-gc');
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
