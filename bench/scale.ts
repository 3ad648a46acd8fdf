import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchDatabase, SERVER_URL, withDatabase } from './database.js';
import { CONNECTIONS, GENERATOR, load, type Round, warmUp, type Work } from './load.js';
import { type PostgresLoad, PostgresMeter } from './postgres-load.js';
import type { Measured } from './process.js';
import { fillCache, verify, verifyBody } from './requests.js';
import { startService } from './service.js';
import { limitKeys, storeKeys } from './stored-keys.js';
import { printMachine, time, whole } from './table.js';

const MAX_PROCESSES = 3;
const KEYS = 1_000;
/** One key in this many has `max_uses`; each of its uses updates a row. */
const LIMITED_OF = 10;
const MAX_USES = 1_000_000_000;

/** How long PostgreSQL is measured; the load runs before, during and after. */
const LOADED_SECONDS = 15;
const LEAD_SECONDS = 2;
const TAIL_SECONDS = 1;
const IDLE_SECONDS = 10;
/** Idle connections report their statistics within ten seconds. */
const SETTLED_SECONDS = 11;

/** Measures how verdicts grow with processes on this machine, and what each process costs PostgreSQL. */
async function scale(database: BenchDatabase, serverUrl: string): Promise<void> {
  const services = [await startService(database)];
  const meter = await PostgresMeter.connect(serverUrl, database.DATABASE_URL ?? '');
  const pairs = await storeKeys(database, KEYS);
  const limited = new Set(pairs.filter((_, index) => index % LIMITED_OF === 0));
  await limitKeys(database, [...limited], { maxUses: MAX_USES });
  const works: Work[] = [
    {
      ...verify('keys without limits', pairs[1]!),
      bodies: pairs.filter((pair) => !limited.has(pair)).map(verifyBody),
    },
    { ...verify(`one key in ${LIMITED_OF} with max_uses`, pairs[0]!), bodies: pairs.map(verifyBody) },
  ];
  printHeading(await meter.settings());
  for (let count = 1; count <= MAX_PROCESSES; count++) {
    if (services.length < count) services.push(await startService(database));
    for (const service of services) await fillCache(service, pairs);
    await sleep(SETTLED_SECONDS * 1_000);
    printRow(count, 'none', await meter.measure(IDLE_SECONDS));
    for (const work of works) {
      await Promise.all(services.map((service) => warmUp(service, work)));
      const [postgres, rounds] = await Promise.all([whileLoaded(meter), loadAll(services, work)]);
      printRow(count, work.name, postgres, rounds);
    }
  }
  await meter.end();
  for (const service of services) await service.stop();
}

/** Loads all processes at once, with equally many connections. */
function loadAll(services: Measured[], work: Work): Promise<Round[]> {
  const seconds = LEAD_SECONDS + LOADED_SECONDS + TAIL_SECONDS;
  return Promise.all(services.map((service) => load(service, work, seconds)));
}

async function whileLoaded(meter: PostgresMeter): Promise<PostgresLoad> {
  await sleep(LEAD_SECONDS * 1_000);
  return await meter.measure(LOADED_SECONDS);
}

function printHeading(settings: string): void {
  console.log(`PostgreSQL: ${settings}`);
  console.log(`measured for ${LOADED_SECONDS} s under load, and for ${IDLE_SECONDS} s without any\n`);
  const postgres = ["PostgreSQL: this database's transactions/s", 'cores used by all processes of the server'];
  console.log(`| processes | load | verdicts/s | p99 | ${postgres.join(' | ')} |`);
  console.log('| --- | --- | --- | --- | --- | --- |');
}

function printRow(count: number, name: string, postgres: PostgresLoad, rounds: Round[] = []): void {
  const verdicts = rounds.reduce((sum, { perSecond }) => sum + perSecond, 0);
  const p99 = Math.max(...rounds.map((round) => round.p99));
  const seen = rounds.length > 0 ? [whole(verdicts), time(p99)] : ['', ''];
  const figures = [count, name, ...seen, whole(postgres.transactions), postgres.cpuSeconds.toFixed(3)];
  console.log(`| ${figures.join(' | ')} |`);
}

if (!SERVER_URL) {
  console.error('Several processes need a server: DATABASE_URL=postgres://... npm run bench:scale');
  process.exit(64);
}
const serverUrl = SERVER_URL;
printMachine(`${GENERATOR}, ${CONNECTIONS} connections to each process`);
await withDatabase((database) => scale(database, serverUrl));
