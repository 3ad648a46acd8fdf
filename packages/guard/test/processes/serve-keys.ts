import { writeHeapSnapshot } from 'node:v8';
import { createGuard } from '../../src/index.js';
import { pairOf } from '../fake-pair.js';

/** Checks keys with a guard, each twice, and writes what is in memory then. Does not close the guard. */
const [url = '', token = '', keys = '0', snapshot = ''] = process.argv.slice(2);
const guard = createGuard({ url, token });
await guard.ready();
await checkAll();
if (snapshot) writeHeapSnapshot(snapshot);
process.stdout.write(JSON.stringify(guard.stats()));

/** A function, so that none of its variables holds a pair afterwards. */
async function checkAll(): Promise<void> {
  for (const times of ['first', 'second'])
    for (let i = 0; i < Number(keys); i++) {
      const { valid } = await guard.check({ ...pairOf(i) });
      if (!valid) throw new Error(`Key ${i} is not valid the ${times} time`);
    }
}
