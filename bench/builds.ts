import { join } from 'node:path';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { withDatabase } from './database.js';
import { alternate, load, warmUp, type Work } from './load.js';
import { type Measured, startMeasured } from './process.js';
import { authorize, fillCache, verify, verifyBatch } from './requests.js';
import { variablesOf } from './service.js';
import { storeKeys } from './stored-keys.js';
import { printHeading, printMachine, printRow } from './table.js';

/**
 * Compares cache hits of this build with another one, in alternating rounds of one run:
 * `npm run bench:builds -- <folder of a clone at another commit, built>`. A share above 1 is better than the other build.
 */
const BATCH = 100;

const [other] = process.argv.slice(2);
if (!other) {
  console.error('Name the folder of the other build: npm run bench:builds -- <folder>');
  process.exit(64);
}
printMachine();
await onBuild('.', (ours, ourPairs) =>
  onBuild(other, async (theirs, theirPairs) => {
    printHeading(`Known keys, beside the build in ${other}`);
    const [ourWorks, theirWorks] = [worksOf(ourPairs), worksOf(theirPairs)];
    for (const [index, work] of ourWorks.entries()) await measure(ours, work, theirs, theirWorks[index] as Work);
  }),
);

/** A service of a build, on its own database, with a hundred cached keys. */
function onBuild(folder: string, use: (service: Measured, pairs: KeyPair[]) => Promise<void>): Promise<void> {
  return withDatabase(async (database) => {
    const service = await startMeasured([join(folder, 'dist/main.js')], variablesOf(database));
    try {
      const pairs = await storeKeys(database, BATCH);
      await fillCache(service, pairs);
      await use(service, pairs);
    } finally {
      await service.stop();
    }
  });
}

function worksOf(pairs: KeyPair[]): Work[] {
  const pair = pairs[0] as KeyPair;
  return [
    verify('verify', pair),
    verifyBatch(`verify, batch of ${BATCH}`, pairs),
    authorize('authorize', pair),
    verify('verify, made-up pair', { ...pair, secretKey: `w3s_${'a'.repeat(40)}` }, 'INVALID_CREDENTIALS'),
  ];
}

async function measure(ours: Measured, ourWork: Work, theirs: Measured, theirWork: Work): Promise<void> {
  await warmUp(ours, ourWork);
  await warmUp(theirs, theirWork);
  const [one, beside] = await alternate(
    () => load(ours, ourWork),
    () => load(theirs, theirWork),
  );
  if (!one || !beside) throw new Error('alternate() has lost a run');
  printRow(ourWork.name, one, beside);
  printRow('*the other build*', beside, beside);
}
