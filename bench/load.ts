import autocannon from 'autocannon';
import type { Measured } from './process.js';

export interface Work {
  name: string;
  request: { method: 'GET' | 'POST'; path: string; headers: Record<string, string>; body?: string };
}

/** What one round of load showed; `cpuMicros` is the server's processor time for one request. */
export interface Round {
  perSecond: number;
  cpuMicros: number;
  p50: number;
  p99: number;
}

const SECONDS = 4;
const CONNECTIONS = 32;

/** One round: a server, a piece of work, so many connections that wait for each answer. */
export async function load(server: Measured, { name, request }: Work): Promise<Round> {
  const cpuBefore = server.cpuSeconds();
  const { path, ...rest } = request;
  const result = await autocannon({ url: server.url + path, ...rest, connections: CONNECTIONS, duration: SECONDS });
  if (result.non2xx + result.errors > 0) {
    throw new Error(`${name}: ${result.non2xx} refusals and ${result.errors} errors at ${server.url}`);
  }
  const answered = result.requests.total;
  return {
    perSecond: answered / result.duration,
    cpuMicros: ((server.cpuSeconds() - cpuBefore) / answered) * 1e6,
    p50: result.latency.p50,
    p99: result.latency.p99,
  };
}

/** The middle one of each figure. */
export function medians(rounds: Round[]): Round {
  const middle = (figure: keyof Round) =>
    rounds.map((round) => round[figure]).toSorted((a, b) => a - b)[Math.floor(rounds.length / 2)] ?? Number.NaN;
  return {
    perSecond: middle('perSecond'),
    cpuMicros: middle('cpuMicros'),
    p50: middle('p50'),
    p99: middle('p99'),
  };
}
