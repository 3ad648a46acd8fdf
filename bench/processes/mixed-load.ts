import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import type { MixedLoad, MixedSeen } from '../mix.js';

/**
 * Autocannon in a process of its own, which ends with its load: in one process it grows slower from run to run.
 * Each connection has requests of its own, and begins one further in the hundred than the one before it, so that at
 * no moment all of them ask for the same kind. One long list for all would be built anew for each of them, which
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
  // Its correction for requests that are sent late takes a millisecond for the time between two of a connection, so
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
