import { readFileSync } from 'node:fs';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { builtApp, builtVerifier } from './built-app.js';

/** Memory of a process, in bytes, after a full garbage collection. */
export interface MemoryUse {
  /** The JavaScript heap and external buffers. */
  heap: number;
  /** Resident set size. */
  resident: number;
}

/** Verifies every pair of a file once, and prints the memory before and after. Needs `--expose-gc`. */
const AT_ONCE = 100;

const pairs = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as KeyPair[];
const app = await builtApp();
const verifier = await builtVerifier(app);

function memoryUse(): MemoryUse {
  if (!globalThis.gc) throw new Error('start it with --expose-gc');
  globalThis.gc();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { heap: heapUsed + arrayBuffers, resident: rss };
}

async function verifyAll(some: KeyPair[]): Promise<void> {
  for (let first = 0; first < some.length; first += AT_ONCE) {
    const verdicts = some
      .slice(first, first + AT_ONCE)
      .map(async (pair) => verifier.verify(pair, { scopes: [], ip: undefined, cost: 1 }));
    if (!(await Promise.all(verdicts)).every(({ valid }) => valid)) throw new Error('a key was refused');
  }
}

// Warm-up: the first ones load and compile code
const warmUp = pairs.splice(0, 1_000);
await verifyAll(warmUp);
const before = memoryUse();
await verifyAll(pairs);
const after = memoryUse();
await app.close();
console.log(JSON.stringify({ keys: pairs.length, before, after }));
process.exit();
