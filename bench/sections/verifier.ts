import { withDatabase } from '../database.js';
import { median } from '../load.js';
import { runProgram } from '../process.js';
import { startService, variablesOf } from '../service.js';
import { storeKeys } from '../stored-keys.js';
import { whole } from '../table.js';

/** What `Verifier` itself gives, without HTTP. */
export function verifier(): Promise<void> {
  return withDatabase(async (database) => {
    const service = await startService(database);
    const [pair] = await storeKeys(database, 1);
    await service.stop();
    const rates = await runProgram<number[]>('verifier-calls', JSON.stringify(pair), variablesOf(database));
    console.log('\n### Without HTTP\n');
    console.log(`Verifier.verify(), hit: ${whole(median(rates))} calls/s, the median of ${rates.length} seconds.`);
  });
}
