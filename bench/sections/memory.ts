import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withDatabase } from '../database.js';
import { runProgram } from '../process.js';
import type { MemoryUse } from '../processes/cache-memory.js';
import { startService, variablesOf } from '../service.js';
import { storeKeys } from '../stored-keys.js';
import { whole } from '../table.js';

const KEYS = 20_000;

/** Measures the memory for each cached key. */
export function memory(): Promise<void> {
  return withDatabase(async (database) => {
    const service = await startService(database);
    const file = join(database.DATA_DIR, 'pairs.json');
    writeFileSync(file, JSON.stringify(await storeKeys(database, KEYS)));
    await service.stop();
    const { keys, before, after } = await runProgram<{ keys: number; before: MemoryUse; after: MemoryUse }>(
      'cache-memory',
      file,
      variablesOf(database),
      ['--expose-gc'],
    );
    const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
    console.log('\n### Memory\n');
    console.log(
      `For each of ${whole(keys)} remembered keys: ${whole((after.heap - before.heap) / keys)} bytes of heap and`,
    );
    console.log(
      `buffers; of the process, ${megabytes(before.resident)} resident before and ${megabytes(after.resident)} after.`,
    );
  });
}
