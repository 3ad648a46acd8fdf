import { withDatabase } from '../database.js';
import { median } from '../load.js';
import { runProgram } from '../process.js';
import type { Rates } from '../processes/verifier-calls.js';
import { startService, variablesOf } from '../service.js';
import { storeKeys } from '../stored-keys.js';
import { whole } from '../table.js';

/** Measures `Verifier` itself, without HTTP. */
export function verifier(): Promise<void> {
  return withDatabase(async (database) => {
    const service = await startService(database);
    const [pair] = await storeKeys(database, 1);
    await service.stop();
    const { counted, uncounted } = await runProgram<Rates>(
      'verifier-calls',
      JSON.stringify(pair),
      variablesOf(database),
    );
    console.log('\n### Without HTTP\n');
    console.log(`Verifier.verify(), hit: ${whole(median(counted))} calls/s, the median of ${counted.length} seconds.`);
    const micros = 1e6 / median(counted) - 1e6 / median(uncounted);
    console.log(
      `Of that, statistics take ${micros.toFixed(2)} us a call: ${whole(median(uncounted))} calls/s without.`,
    );
  });
}
