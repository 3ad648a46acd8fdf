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

/** A kind of request that is repeated against a server. */
export interface Work {
  name: string;
  request: Request;
  /** Sent in turn, instead of the request's body. */
  bodies?: readonly string[];
  /** Values of `Authorization` that are sent in turn, instead of the request's. */
  authorizations?: readonly string[];
  /** Whether running out of bodies is an error: repeating one would measure other work. */
  eachOnce?: boolean;
  /** A text that each answer contains. */
  expects: string;
}

/** The load: connections that each wait for an answer before the next request. */
export interface Load {
  seconds: number;
  connections: number;
}

/** The result of a generator; times in milliseconds. */
export interface Seen {
  answers: number;
  perSecond: number;
  p50: number;
  p99: number;
}

/** The result of one round; `cpuMicros` is the server's CPU time for one request. */
export interface Round extends Seen {
  cpuMicros: number;
}

const isByWrk = await isWrkInstalled();

/** A server below this share of one core is idle. */
const IDLE_SHARE = 0.2;
const PAUSE_SECONDS = 0.2;

export const CONNECTIONS = 64;
export const ROUND_SECONDS = 4;
export const WARM_UP_SECONDS = 2;
export const GENERATOR = isByWrk ? 'wrk -t1' : 'autocannon (wrk is not installed)';

/** @throws Error if an answer is missing or not a 2xx */
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

/** A round that does not count: code is compiled during its first run. */
export async function warmUp(server: Measured, work: Work): Promise<void> {
  await load(server, work, WARM_UP_SECONDS);
}

/** Waits until a server is idle: remaining work would take CPU time from the next round. */
async function untilIdle(server: Measured): Promise<void> {
  for (let before = Number.NEGATIVE_INFINITY, now = server.cpuSeconds(); now - before > IDLE_SHARE * PAUSE_SECONDS;) {
    await sleep(PAUSE_SECONDS * 1_000);
    [before, now] = [now, server.cpuSeconds()];
  }
}

export const ROUNDS = 3;

/** Runs the rounds alternately, several times, and every other time backwards. @returns the medians of each */
export async function alternate(...runs: (() => Promise<Round>)[]): Promise<Round[]> {
  return alternateTimes(ROUNDS, runs);
}

/** The same, with another number of rounds. */
export async function alternateTimes(times: number, runs: (() => Promise<Round>)[]): Promise<Round[]> {
  const rounds: Round[][] = runs.map(() => []);
  for (let count = 0; count < times; count++) {
    const inTurn = [...runs.entries()];
    for (const [index, run] of count % 2 === 0 ? inTurn : inTurn.toReversed()) rounds[index]?.push(await run());
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
