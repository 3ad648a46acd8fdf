import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import type { MixedLoad, MixedSeen } from '../mix.js';

/**
 * Autocannon in a separate process for each load: in one process it becomes slower from run to run.
 * Each connection has its own requests, and starts one position further in the hundred than the previous one, so that
 * they never all send the same kind. Autocannon would copy one shared list for each connection, which
 * delays the first answers by more than a second.
 */
const { url, requests, connections, seconds, perSecond } = JSON.parse(
  readFileSync(process.argv[2] ?? '', 'utf8'),
) as MixedLoad;
let connected = 0;
const result = await autocannon({
  url,
  connections,
  duration: seconds,
  // Its correction for late requests assumes one millisecond between two requests of a connection, so
  // that an answer of 500 ms would count 500 times
  ...(perSecond !== undefined && { overallRate: perSecond, ignoreCoordinatedOmission: true }),
  setupClient: (client) => {
    const first = connected++ * 101;
    client.setRequests(requests.slice(first, first + 100));
  },
});
if (result.non2xx + result.errors > 0) throw new Error(`${result.non2xx} refusals, ${result.errors} errors`);
const seen: MixedSeen = { perSecond: result.requests.average, p50: result.latency.p50, p99: result.latency.p99 };
console.log(JSON.stringify(seen));
