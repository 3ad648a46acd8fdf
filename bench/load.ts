import { setTimeout as sleep } from 'node:timers/promises';
import type { Measured } from './process.js';
import { loadByAutocannon } from './autocannon.js';
import { isWrkInstalled, loadByWrk } from './wrk.js';

interface Request {
  method: 'GET' | 'POST';
  path: string;
  headers: Record<string, string>;
  body?: string;
}

/** A piece of work that is asked of a server again and again. */
export interface Work {
  name: string;
  request: Request;
  /** Sent in turn, in place of the request's body. */
  bodies?: readonly string[];
  /** Whether it is an error if the bodies do not last: a second time would be another work. */
  eachOnce?: boolean;
  /** What the answer holds. */
  expects: string;
}

/** How a load generator asks: so many connections, each of which waits for its answer before it asks again. */
export interface Load {
  seconds: number;
  connections: number;
}

/** What a generator saw; times in milliseconds. */
export interface Seen {
  answers: number;
  perSecond: number;
  p50: number;
  p99: number;
}

/** What one round of load showed; `cpuMicros` is the server's processor time for one request. */
export interface Round extends Seen {
  cpuMicros: number;
}

const isByWrk = await isWrkInstalled();

/** Idle is who takes less than so much of one core. */
const IDLE_SHARE = 0.2;
const PAUSE_SECONDS = 0.2;

export const CONNECTIONS = 64;
export const ROUND_SECONDS = 4;
const WARM_UP_SECONDS = 2;
export const GENERATOR = isByWrk ? 'wrk -t1' : 'autocannon (wrk is not installed)';

/** @throws Error if any answer was not a 2xx, or did not come */
export async function load(server: Measured, work: Work, seconds = ROUND_SECONDS): Promise<Round> {
  const cpuBefore = server.cpuSeconds();
  const generate = isByWrk ? loadByWrk : loadByAutocannon;
  const seen = await generate(server.url, work, { seconds, connections: CONNECTIONS });
  if (work.eachOnce && seen.answers > (work.bodies?.length ?? 0)) {
    throw new Error(`${work.name}: ${seen.answers} answers, more than there are keys for: prepare more of them`);
  }
  const cpuMicros = ((server.cpuSeconds() - cpuBefore) / seen.answers) * 1e6;
  await untilIdle(server);
  return { ...seen, cpuMicros };
}

/** A round that does not count: what runs for the first time is compiled while it runs. */
export async function warmUp(server: Measured, work: Work): Promise<void> {
  await load(server, work, WARM_UP_SECONDS);
}

/** A server may still be at what it was asked last, and would take processor time from the next round. */
async function untilIdle(server: Measured): Promise<void> {
  for (let before = Number.NEGATIVE_INFINITY, now = server.cpuSeconds(); now - before > IDLE_SHARE * PAUSE_SECONDS;) {
    await sleep(PAUSE_SECONDS * 1_000);
    [before, now] = [now, server.cpuSeconds()];
  }
}

export const ROUNDS = 3;

/** Runs them in turns, several times. @returns for each of them the middle one of each figure */
export async function alternate(...runs: (() => Promise<Round>)[]): Promise<Round[]> {
  const rounds: Round[][] = runs.map(() => []);
  for (let count = 0; count < ROUNDS; count++) {
    for (const [index, run] of runs.entries()) rounds[index]?.push(await run());
  }
  return rounds.map(medians);
}

export function median(figures: number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN;
}

function medians(rounds: Round[]): Round {
  const middle = (figure: keyof Round) => median(rounds.map((round) => round[figure]));
  return {
    answers: middle('answers'),
    perSecond: middle('perSecond'),
    cpuMicros: middle('cpuMicros'),
    p50: middle('p50'),
    p99: middle('p99'),
  };
}
