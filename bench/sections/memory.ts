import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withDatabase } from '../database.js';
import { runProgram } from '../process.js';
import type { Held } from '../processes/cache-memory.js';
import { startService, variablesOf } from '../service.js';
import { storeKeys } from '../stored-keys.js';
import { whole } from '../table.js';

const KEYS = 20_000;

/** How much a process holds for each key that it remembers. */
export function memory(): Promise<void> {
  return withDatabase(async (database) => {
    const service = await startService(database);
    const file = join(database.DATA_DIR, 'pairs.json');
    writeFileSync(file, JSON.stringify(await storeKeys(database, KEYS)));
    await service.stop();
    const { keys, before, after } = await runProgram<{ keys: number; before: Held; after: Held }>(
      'cache-memory',
      file,
      variablesOf(database),
      ['--expose-gc'],
    );
    const forEach = (what: keyof Held) => whole((after[what] - before[what]) / keys);
    console.log(`\n### Memory\n`);
    console.log(
      `For each of ${whole(keys)} remembered keys: ${forEach('heap')} bytes of heap and buffers after a full`,
    );
    console.log(`collection; resident memory grew by ${forEach('resident')} bytes.`);
  });
}
