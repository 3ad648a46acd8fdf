import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/**
 * The bytes in the heap and the buffers outside it, once garbage collections free nothing more. What one
 * of them finalises, the next one frees; code that isn't called is given up after several; what a `WeakRef` has shown
 * is kept until the event loop turns. So in a process that has run other tests before, one collection isn't enough.
 */
export async function heldMemory(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let without = 0; without < 4;) {
    await turn();
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const held = heapUsed + arrayBuffers;
    without = held < least - 4_096 ? 0 : without + 1;
    least = Math.min(least, held);
  }
  return least;
}
