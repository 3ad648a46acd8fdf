import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { compare } from '../compare.js';
import { type BenchDatabase, withDatabase } from '../database.js';
import type { Measured } from '../process.js';
import { authorize, verify, verifyBatch, verifyMadeUp } from '../requests.js';
import { startService } from '../service.js';
import { storeKeys } from '../stored-keys.js';
import { printReference } from './reference.js';
import { whole } from '../table.js';

const BATCH = 100;

/** Measures cache hits, alone and in batches of a hundred, and invented pairs. */
export function hit(): Promise<void> {
  return withDatabase(async (database) => {
    const service = await startService(database);
    try {
      await measure(database, service, await storeKeys(database, BATCH));
    } finally {
      await service.stop();
    }
  });
}

async function measure(database: BenchDatabase, service: Measured, pairs: KeyPair[]): Promise<void> {
  const [pair] = pairs;
  if (!pair) throw new Error('no key was stored');
  const works = [
    verify('verify, hit', pair),
    verifyBatch(`verify, batch of ${BATCH} known keys`, pairs),
    verifyMadeUp('verify, made-up pair'),
    authorize('authorize, hit', pair),
  ];
  const [one, batch] = await compare('Known keys', service, works);
  if (!one || !batch) throw new Error('compare() has lost a work');
  const verdicts = batch.perSecond * BATCH;
  const times = (verdicts / one.perSecond).toFixed(1);
  console.log(`\nA batch of ${BATCH}: ${whole(verdicts)} verdicts/s, ${times} times those of verify, hit.`);
  await printReference(database, service, verify('verify, hit', pair), pair);
}
