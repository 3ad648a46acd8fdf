import { availableParallelism, cpus } from 'node:os';
import { DATABASE_KIND } from './database.js';
import { CONNECTIONS, GENERATOR, ROUND_SECONDS, type Round } from './load.js';

export const FLOOR = '*bare Fastify, same bytes*';

const ALTERNATING = `${GENERATOR}, ${CONNECTIONS} connections; medians of alternating rounds of ${ROUND_SECONDS} s each`;

/** Prints the machine and the load of the figures below. */
export function printMachine(load = ALTERNATING): void {
  console.log(`Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}),`);
  console.log(`${DATABASE_KIND}; ${load};`);
  console.log('the generator and the database share the cores');
}

export function printHeading(title: string, beside = 'the floor'): void {
  console.log(`\n### ${title}\n`);
  console.log(`| work | requests/s | CPU per request | p50 | p99 | share of ${beside} | by CPU time |`);
  console.log('| --- | --- | --- | --- | --- | --- | --- |');
}

/** One row. A share above 1 is better than the floor, both by requests per second and by CPU time. */
export function printRow(name: string, round: Round, floor: Round): void {
  const { perSecond, cpuMicros, p50, p99 } = round;
  const share = (perSecond / floor.perSecond).toFixed(3);
  const cpuShare = (floor.cpuMicros / cpuMicros).toFixed(3);
  const figures = [whole(perSecond), `${cpuMicros.toFixed(1)} us`, time(p50), time(p99), share, cpuShare];
  console.log(`| ${[name, ...figures].join(' | ')} |`);
}

/** A table of figures beside what they must reach. */
export function printBarHeading(title: string): void {
  console.log(`\n### ${title}\n`);
  console.log('| work | measured | must reach |');
  console.log('| --- | --- | --- |');
}

export function printBarRow(name: string, measured: string, bar = ''): void {
  console.log(`| ${name} | ${measured} | ${bar} |`);
}

export function whole(figure: number): string {
  return Math.round(figure).toLocaleString('en');
}

export function time(milliseconds: number): string {
  return `${milliseconds.toFixed(2)} ms`;
}
