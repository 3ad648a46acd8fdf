import { askSteadily } from '../autocannon.js';
import { type BenchDatabase, withDatabase } from '../database.js';
import { onFloor, startFloor } from '../floor.js';
import { alternate, load, median, type Round, ROUND_SECONDS, type Seen, warmUp, type Work } from '../load.js';
import type { Measured } from '../process.js';
import { verify, verifyBody } from '../requests.js';
import { startService } from '../service.js';
import { hashesPerSecond, storeKeys } from '../stored-keys.js';
import { FLOOR, printHeading, printRow, time } from '../table.js';

/** Surplus of keys over what argon2 alone allows in a round. */
const MARGIN = 2;
const HITS_PER_SECOND = 500;
const HIT_CONNECTIONS = 8;

/** Measures the first use of a key, and its effect on cache hits. */
export function cold(): Promise<void> {
  return withDatabase(async (database) => {
    const first = await startService(database);
    const count = Math.ceil((await hashesPerSecond()) * ROUND_SECONDS * MARGIN);
    const [known, ...pairs] = await storeKeys(database, count);
    if (!known) throw new Error('no key was stored');
    const hits = verify('hits beside cold ones', known);
    const work = { ...hits, name: 'verify, cold', bodies: pairs.map(verifyBody), eachOnce: true };
    const floor = await startFloor(first, [work]);
    await first.stop();
    try {
      await measure(database, floor, work, hits);
    } finally {
      await floor.stop();
    }
  });
}

async function measure(database: BenchDatabase, floor: Measured, work: Work, hits: Work): Promise<void> {
  const beside: Seen[] = [];
  const [ours, bare] = await alternate(
    () =>
      onColdService(database, async (service) => {
        await warmUp(service, hits);
        const steady = askSteadily(
          service.url,
          hits,
          { seconds: ROUND_SECONDS, connections: HIT_CONNECTIONS },
          HITS_PER_SECOND,
        );
        const [round, seen] = await Promise.all([load(service, work), steady]);
        beside.push(seen);
        return round;
      }),
    () => load(floor, onFloor(work)),
  );
  if (!ours || !bare) throw new Error('alternate() has lost a run');
  printHeading('Unknown keys: one database read and one argon2 check each');
  printRow('verify, cold (every request another key)', ours, bare);
  printRow(FLOOR, bare, bare);
  const [p50, p99] = [median(beside.map((seen) => seen.p50)), median(beside.map((seen) => seen.p99))];
  console.log(
    `\nAt the same time, ${HITS_PER_SECOND} hits a second of another key (autocannon): p50 ${time(p50)}, p99 ${time(p99)}.`,
  );
}

async function onColdService(database: BenchDatabase, run: (service: Measured) => Promise<Round>): Promise<Round> {
  const service = await startService(database);
  try {
    return await run(service);
  } finally {
    await service.stop();
  }
}
