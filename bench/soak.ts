import type { Request } from 'autocannon';
import { onMaintenanceDatabase } from '../test/support/database.js';
import { withDatabase } from './database.js';
import { loadByMix, MIX_CONNECTIONS, mixedRequests } from './mix.js';
import type { Measured } from './process.js';
import { fillCache } from './requests.js';
import { SERVICE_TOKEN, startService } from './service.js';
import { storeKeys } from './stored-keys.js';
import { printMachine, time, whole } from './table.js';

const MINUTES = Number(process.env['SOAK_MINUTES'] ?? 5);
const SHARE_OF_CAPACITY = 0.7;
const WARM_UP_SECONDS = 5;
const CAPACITY_SECONDS = 15;
const KEYS = 1_000;
/**
 * By how much the last minute may exceed the second one, when the process has warmed up. Garbage collection alone changes
 * the memory of a process by a tenth.
 */
const MAX_GROWTH = { memory: 1.2, p99: 2 };

/** A minute of load; times in milliseconds, sizes in MB. */
interface Minute {
  perSecond: number;
  p50: number;
  p99: number;
  memory: number;
  heap: number;
}

/** Runs a process for minutes at a large part of its capacity. */
async function soak(service: Measured, requests: Request[], vacuum: () => Promise<void>): Promise<void> {
  await loadByMix(service, requests, { seconds: WARM_UP_SECONDS });
  const { perSecond: capacity } = await loadByMix(service, requests, { seconds: CAPACITY_SECONDS });
  const rate = Math.floor(capacity * SHARE_OF_CAPACITY);
  console.log(`\nCapacity for this mix: ${whole(capacity)} requests/s; target rate: ${whole(rate)}\n`);
  console.log('| minute | requests/s | p50 | p99 | memory (RSS) | heap used |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  const minutes: Minute[] = [];
  for (let count = 1; count <= MINUTES; count++) {
    const seen = await loadByMix(service, requests, { seconds: 60, perSecond: rate });
    const minute = { ...seen, ...(await memoryOf(service)) };
    minutes.push(minute);
    printRow(count, minute);
    await vacuum();
  }
  judge(minutes);
}

function printRow(count: number, { perSecond, p50, p99, memory, heap }: Minute): void {
  console.log(`| ${[count, whole(perSecond), time(p50), time(p99), whole(memory), whole(heap)].join(' | ')} |`);
}

/** @throws Error if the last minute needs much more memory than the second one, or its p99 is much longer */
function judge(minutes: Minute[]): void {
  const growthOf = (figure: keyof Minute) => (minutes.at(-1)?.[figure] ?? NaN) / (minutes[1]?.[figure] ?? NaN);
  const [memory, p99] = [growthOf('memory'), growthOf('p99')];
  console.log(`\nThe last minute beside the second: memory ${memory.toFixed(2)}, p99 ${p99.toFixed(2)}`);
  if (!(memory <= MAX_GROWTH.memory)) throw new Error(`the memory has grown more than ${MAX_GROWTH.memory} times`);
  if (!(p99 <= MAX_GROWTH.p99)) throw new Error(`p99 is not steady: it has grown more than ${MAX_GROWTH.p99} times`);
}

async function memoryOf({ url }: Measured): Promise<Pick<Minute, 'memory' | 'heap'>> {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${SERVICE_TOKEN}` } });
  const text = await answer.text();
  const megabytes = (name: string) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]) / 1e6;
  return { memory: megabytes('process_resident_memory_bytes'), heap: megabytes('nodejs_heap_size_used_bytes') };
}

printMachine(`autocannon, ${MIX_CONNECTIONS} connections`);
await withDatabase(async (database) => {
  const service = await startService(database, { LOG_LEVEL: 'info', MANAGEMENT_RATE_LIMIT: '1000000' });
  try {
    const pairs = await storeKeys(database, KEYS);
    await fillCache(service, pairs);
    // As autovacuum does each minute, where it is on
    const vacuum = async () => {
      if (database.DATABASE_URL) await onMaintenanceDatabase(database.DATABASE_URL, 'VACUUM');
    };
    await soak(service, mixedRequests(pairs), vacuum);
  } finally {
    await service.stop();
  }
});
