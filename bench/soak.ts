import autocannon, { type Request } from 'autocannon';
import { documentedBody } from '../test/support/keys.js';
import { sessionOf } from '../test/support/sessions.js';
import { withDatabase } from './database.js';
import type { Work } from './load.js';
import type { Measured } from './process.js';
import { authorize, fillCache, JSON_TYPE, verify } from './requests.js';
import { SERVICE_TOKEN, startService } from './service.js';
import { storeKeys } from './stored-keys.js';
import { printMachine, time, whole } from './table.js';

const MINUTES = Number(process.env['SOAK_MINUTES'] ?? 5);
const SHARE_OF_CAPACITY = 0.7;
const CAPACITY_SECONDS = 15;
const CONNECTIONS = 64;
const KEYS = 1_000;
/** How much the memory may grow after the first minute. */
const MOST_GROWTH = 1.1;

/** In a hundred requests: what services and gateways ask on every request of theirs, and people now and then. */
const MIX = { verify: 80, authorize: 15, list: 4, issue: 1 };

/** A minute of load; times in milliseconds, sizes in MB. */
interface Minute {
  perSecond: number;
  p50: number;
  p99: number;
  memory: number;
  heap: number;
}

/** What becomes of a process that works for minutes at a good part of what it can. */
async function soak(service: Measured, requests: Request[]): Promise<void> {
  await fire(service, requests, { duration: 5 });
  const capacity = (await fire(service, requests, { duration: CAPACITY_SECONDS })).requests.average;
  const rate = Math.floor(capacity * SHARE_OF_CAPACITY);
  console.log(`\nCapacity for this mix: ${whole(capacity)} requests/s; held from now on: ${whole(rate)}\n`);
  console.log('| minute | requests/s | p50 | p99 | memory (RSS) | heap used |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  const minutes: Minute[] = [];
  for (let minute = 1; minute <= MINUTES; minute++) {
    const { requests: answered, latency } = await fire(service, requests, { duration: 60, overallRate: rate });
    const sizes = await memoryOf(service);
    const seen = { perSecond: answered.average, p50: latency.p50, p99: latency.p99, ...sizes };
    minutes.push(seen);
    const figures = [
      minute,
      whole(seen.perSecond),
      time(seen.p50),
      time(seen.p99),
      whole(seen.memory),
      whole(seen.heap),
    ];
    console.log(`| ${figures.join(' | ')} |`);
  }
  const growthOf = (figure: keyof Minute) => (minutes.at(-1)?.[figure] ?? NaN) / (minutes[0]?.[figure] ?? NaN);
  console.log(
    `\nThe last minute beside the first: memory ${growthOf('memory').toFixed(2)}, p99 ${growthOf('p99').toFixed(2)}`,
  );
  if (!(growthOf('memory') <= MOST_GROWTH)) throw new Error('the memory has grown');
}

/** @throws Error if any request was not answered well */
async function fire(service: Measured, requests: Request[], options: { duration: number; overallRate?: number }) {
  // In a thread of its own, which ends with the minute: in one thread autocannon grows slower from run to run
  const result = await autocannon({ url: service.url, connections: CONNECTIONS, workers: 1, requests, ...options });
  if (result.non2xx + result.errors > 0) throw new Error(`${result.non2xx} refusals, ${result.errors} errors`);
  return result;
}

function requestsOf(works: Record<keyof typeof MIX, Work>): Request[] {
  const all = Object.entries(MIX).flatMap(([name, times]) => {
    const { path, method, headers, body } = works[name as keyof typeof MIX].request;
    return Array.from({ length: times }, (_, index) => ({
      at: (index + 0.5) / times,
      request: { path, method, headers, ...(body !== undefined && { body }) },
    }));
  });
  // Each kind spread evenly over the hundred
  return all.toSorted((one, other) => one.at - other.at).map(({ request }) => request);
}

async function memoryOf({ url }: Measured): Promise<Pick<Minute, 'memory' | 'heap'>> {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${SERVICE_TOKEN}` } });
  const text = await answer.text();
  const megabytes = (name: string) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]) / 1e6;
  return { memory: megabytes('process_resident_memory_bytes'), heap: megabytes('nodejs_heap_size_used_bytes') };
}

printMachine();
await withDatabase(async (database) => {
  const service = await startService(database, { LOG_LEVEL: 'info', MANAGEMENT_RATE_LIMIT: '1000000' });
  try {
    const pairs = await storeKeys(database, KEYS);
    await fillCache(service, pairs);
    const [pair] = pairs;
    if (!pair) throw new Error('no key was stored');
    const session = sessionOf('soak');
    const list: Work = {
      name: 'list',
      request: { method: 'GET', path: '/api/apiKeys/list', headers: session },
      expects: '',
    };
    const body = JSON.stringify(documentedBody);
    const request = { method: 'POST', path: '/api/apiKeys', headers: { ...session, ...JSON_TYPE }, body } as const;
    const issue: Work = { name: 'issue', request, expects: '' };
    await soak(
      service,
      requestsOf({ verify: verify('verify', pair), authorize: authorize('authorize', pair), list, issue }),
    );
  } finally {
    await service.stop();
  }
});
