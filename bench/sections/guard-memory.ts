import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withKeys } from '../guard-setup.js';
import { runProgram } from '../process.js';
import type { GuardMemory } from '../processes/guard-memory.js';
import { fillCache } from '../requests.js';
import { printBarHeading, printBarRow, whole } from '../table.js';

const KEYS = 20_000;
const WARM_UP = 1_000;

/** Measures the memory that a guard needs for each known key. */
export function guardMemory(): Promise<void> {
  return withKeys(KEYS + WARM_UP, async ({ service, setup, pairs, database }) => {
    await fillCache(service, pairs);
    const file = join(database.DATA_DIR, 'pairs.json');
    writeFileSync(file, JSON.stringify(pairs));
    const { keys, bytes } = await runProgram<GuardMemory>('guard-memory', JSON.stringify({ ...setup, file }), {}, [
      '--expose-gc',
    ]);
    printBarHeading('Memory');
    printBarRow(`for each of ${whole(keys)} known keys`, `${whole(bytes / keys)} bytes`, 'at most 600 bytes');
  });
}
