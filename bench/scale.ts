import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type BenchDatabase, SERVER_URL, withDatabase } from './database.js';
import { load, type Round, ROUND_SECONDS, type Work } from './load.js';
import { cpuSeconds, type Measured } from './process.js';
import { fillCache, verify, verifyBody } from './requests.js';
import { startService } from './service.js';
import { limitKeys, storeKeys } from './stored-keys.js';
import { printMachine, time, whole } from './table.js';

const MOST_PROCESSES = 3;
const KEYS = 1_000;
/** Of so many keys, one has `max_uses`, each use of which is a row of PostgreSQL's. */
const LIMITED_OF = 10;
const MAX_USES = 1_000_000_000;
const IDLE_SECONDS = 5;
/** A connection tells what it has done when it has been idle for a second. */
const TOLD_AFTER_MS = 1_500;

/** What PostgreSQL has done for the database until now. */
interface Done {
  transactions: number;
  /** By the process of each connection. */
  cpuSeconds: Map<number, number>;
}

/** What it does in a second. */
interface PostgresLoad {
  transactions: number;
  cpuSeconds: number;
}

/** How verdicts grow with processes on the cores of this machine, and what each costs PostgreSQL. */
async function scale(database: BenchDatabase): Promise<void> {
  const client = new pg.Client({ connectionString: database.DATABASE_URL as string });
  await client.connect();
  const first = await startService(database);
  const pairs = await storeKeys(database, KEYS);
  const limited = pairs.filter((_, index) => index % LIMITED_OF === 0);
  await limitKeys(database, limited, { maxUses: MAX_USES });
  const works = [
    {
      ...verify('keys without limits', pairs[1]!),
      bodies: pairs.filter((pair) => !limited.includes(pair)).map(verifyBody),
    },
    { ...verify(`one key in ${LIMITED_OF} with max_uses`, pairs[0]!), bodies: pairs.map(verifyBody) },
  ];
  console.log('\n| processes | load | verdicts/s | p99 | PostgreSQL: transactions/s | its share of a core |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  const services: Measured[] = [first];
  for (let count = 1; count <= MOST_PROCESSES; count++) {
    if (services.length < count) services.push(await startService(database));
    for (const service of services) await fillCache(service, pairs);
    printRow(count, 'idle', await during(client, () => sleep(IDLE_SECONDS * 1_000)));
    for (const work of works) {
      let rounds: Round[] = [];
      const all = async () => void (rounds = await loadAll(services, work));
      await all();
      printRow(count, work.name, await during(client, all), rounds);
    }
  }
  await client.end();
  for (const service of services) await service.stop();
}

/** All of them at once, as many connections to each. */
function loadAll(services: Measured[], work: Work): Promise<Round[]> {
  return Promise.all(services.map((service) => load(service, work, ROUND_SECONDS)));
}

/** PostgreSQL's work while something runs. */
async function during(client: pg.Client, run: () => Promise<void>): Promise<PostgresLoad> {
  await sleep(TOLD_AFTER_MS);
  const [before, began] = [await done(client), performance.now()];
  await run();
  const seconds = (performance.now() - began) / 1_000;
  await sleep(TOLD_AFTER_MS);
  const after = await done(client);
  return {
    transactions: (after.transactions - before.transactions) / (seconds + TOLD_AFTER_MS / 1_000),
    cpuSeconds: usedBetween(before, after) / (seconds + TOLD_AFTER_MS / 1_000),
  };
}

/** By PostgreSQL's own counters, and those that the system keeps of its connections' processes. */
async function done(client: pg.Client): Promise<Done> {
  const counted = await client.query(
    'SELECT xact_commit::int AS count FROM pg_stat_database WHERE datname = current_database()',
  );
  const { rows } = await client.query('SELECT pid FROM pg_stat_activity WHERE datname = current_database()');
  return { transactions: counted.rows[0].count, cpuSeconds: new Map(rows.map(({ pid }) => [pid, cpuSeconds(pid)])) };
}

/** Of the connections that are there now; those that have ended meanwhile have told nobody. */
function usedBetween(before: Done, after: Done): number {
  return [...after.cpuSeconds].reduce((sum, [pid, seconds]) => sum + seconds - (before.cpuSeconds.get(pid) ?? 0), 0);
}

function printRow(
  count: number,
  name: string,
  { transactions, cpuSeconds: share }: PostgresLoad,
  rounds: Round[] = [],
): void {
  const verdicts = rounds.reduce((sum, { perSecond }) => sum + perSecond, 0);
  const p99 = rounds.length > 0 ? time(Math.max(...rounds.map((round) => round.p99))) : '';
  const figures = [count, name, rounds.length > 0 ? whole(verdicts) : '', p99, whole(transactions), share.toFixed(2)];
  console.log(`| ${figures.join(' | ')} |`);
}

if (!SERVER_URL) {
  console.error('Several processes need a server: DATABASE_URL=postgres://... npm run bench:scale');
  process.exit(64);
}
printMachine();
await withDatabase(scale);
