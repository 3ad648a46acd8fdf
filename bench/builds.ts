import { join } from 'node:path';
import { choose } from './choose.js';
import { withDatabase } from './database.js';
import { type Build, KINDS, READER, type Run } from './kinds.js';
import { alternate, ROUND_SECONDS, WARM_UP_SECONDS } from './load.js';
import { startMeasured } from './process.js';
import { fillCache, issueOne } from './requests.js';
import { variablesOf } from './service.js';
import { storeKeys } from './stored-keys.js';
import { printHeading, printMachine, printRow } from './table.js';

/**
 * Compares this build with another one, in alternating rounds of one run:
 * `npm run bench:builds -- <folder of a clone at another commit, built> [kinds of work]`. A share above 1 is better than
 * the other build.
 */
const BATCH = 100;
/** The default limit of a list. */
const READER_KEYS = 10;

const [other, ...names] = process.argv.slice(2);
if (!other) {
  console.error('Name the folder of the other build: npm run bench:builds -- <folder> [kinds of work]');
  process.exit(64);
}
const kinds = choose(KINDS, names, 'kind of work');
printMachine();
await onBuild('.', (ours) =>
  onBuild(other, async (theirs) => {
    printHeading(`Beside the build in ${other}`, 'the other build');
    for (const [name, prepare] of kinds) await measure(name, await prepare(ours), await prepare(theirs));
  }),
);

/** A service of a build, on its own database. */
function onBuild(folder: string, use: (build: Build) => Promise<void>): Promise<void> {
  return withDatabase(async (database) => {
    const variables = { ...variablesOf(database), MANAGEMENT_RATE_LIMIT: '1000000' };
    const service = await startMeasured([join(folder, 'dist/main.js')], variables);
    try {
      const pairs = await storeKeys(database, BATCH);
      await fillCache(service, pairs);
      for (let count = 1; count < READER_KEYS; count++) await issueOne(service, READER);
      await use({ service, database, pairs, readerKey: await issueOne(service, READER) });
    } finally {
      await service.stop();
    }
  });
}

async function measure(name: string, ours: Run, theirs: Run): Promise<void> {
  await ours(WARM_UP_SECONDS);
  await theirs(WARM_UP_SECONDS);
  const [one, beside] = await alternate(
    () => ours(ROUND_SECONDS),
    () => theirs(ROUND_SECONDS),
  );
  if (!one || !beside) throw new Error('alternate() has lost a run');
  printRow(name, one, beside);
  printRow('*the other build*', beside, beside);
}
