import { type BenchDatabase, SERVER_URL, withDatabase } from '../database.js';
import { alternate, load, warmUp } from '../load.js';
import { onFloor, startFloor } from '../floor.js';
import type { Measured } from '../process.js';
import { type Draws, drawUniformly } from '../random-draws.js';
import { fillCache, verify } from '../requests.js';
import { startService } from '../service.js';
import { storeKeys, storeOthers } from '../stored-keys.js';
import { FLOOR, printHeading, printRow } from '../table.js';

const MILLION = 1_000_000;
const FEW = 1_000;
/** The default size of the cache. */
const CACHED = 100_000;
/** Rounds of random keys are shorter: each second needs thousands of keys that are hashed before. */
const RANDOM_SECONDS = 3;

/** Measures the effect of a million rows: on a cached key, and on keys drawn from all of them. */
export async function million(): Promise<void> {
  if (!SERVER_URL) {
    console.log('\nLEFT OUT: million. It needs a PostgreSQL server: DATABASE_URL=postgres://...');
    return;
  }
  await withDatabase((large) => withDatabase((small) => onBoth(large, small)));
}

async function onBoth(large: BenchDatabase, small: BenchDatabase): Promise<void> {
  const [beside, alone] = await Promise.all([startService(large), startService(small)]);
  try {
    const draws = await drawUniformly(large, { keys: MILLION, known: CACHED, seconds: RANDOM_SECONDS });
    await storeOthers(large, MILLION - draws.stored);
    const [few] = await storeKeys(small, 1);
    await storeOthers(small, FEW - 1);
    const [many] = draws.known;
    if (!few || !many) throw new Error('no key was stored');
    await printHits([beside, verify('verify, hit', many)], [alone, verify('verify, hit', few)]);
    await printRandom(beside, draws);
  } finally {
    await Promise.all([beside.stop(), alone.stop()]);
  }
}

type Asked = [service: Measured, work: ReturnType<typeof verify>];

async function printHits([large, ofMany]: Asked, [small, ofFew]: Asked): Promise<void> {
  const floor = await startFloor(large, [ofMany]);
  try {
    await warmUp(large, ofMany);
    await warmUp(small, ofFew);
    await warmUp(floor, onFloor(ofMany));
    const [many, few, bare] = await alternate(
      () => load(large, ofMany),
      () => load(small, ofFew),
      () => load(floor, onFloor(ofMany)),
    );
    if (!many || !few || !bare) throw new Error('alternate() has lost a run');
    printHeading('A known key among many');
    printRow('verify, hit, 1,000,000 keys in the database', many, bare);
    printRow('verify, hit, 1,000 keys in the database', few, bare);
    printRow(FLOOR, bare, bare);
    const [rate, cost] = [many.perSecond / few.perSecond, many.cpuMicros / few.cpuMicros];
    console.log(`\n1,000,000 beside 1,000: ${rate.toFixed(3)} of the requests/s, ${cost.toFixed(3)} of the CPU time.`);
  } finally {
    await floor.stop();
  }
}

async function printRandom(service: Measured, { known, rounds, sample }: Draws): Promise<void> {
  await fillCache(service, known);
  const work = { ...verify('verify, random', sample), eachOnce: true };
  const floor = await startFloor(service, [work]);
  let [ours, floors] = [0, 0];
  try {
    const [random, bare] = await alternate(
      () => load(service, { ...work, bodies: rounds[ours++] ?? [] }, RANDOM_SECONDS),
      () => load(floor, onFloor({ ...work, bodies: rounds[floors++] ?? [] }), RANDOM_SECONDS),
    );
    if (!random || !bare) throw new Error('alternate() has lost a run');
    printHeading('Uniformly random keys of 1,000,000, a cache of 100,000');
    printRow('verify, random', random, bare);
    printRow(FLOOR, bare, bare);
  } finally {
    await floor.stop();
  }
}
