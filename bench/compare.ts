import { cpus } from 'node:os';
import type { FloorRoute } from './floor.js';
import { load, medians, type Round, type Work } from './load.js';
import { type Measured, startMeasured } from './process.js';

const ROUNDS = 3;

/**
 * Prints what each piece of work costs the service, beside a bare Fastify server that is sent the same
 * requests and sends as many bytes back, in alternating rounds of the same run.
 */
export async function compare(service: Measured, database: string, works: Work[]): Promise<void> {
  const routes = new Map(
    await Promise.all(works.map(async (work) => [keyOf(work), await floorRoute(service, work)] as const)),
  );
  const floor = await startMeasured(['--import', 'tsx', 'bench/floor.ts', JSON.stringify([...routes.values()])], {});
  console.log(`Node ${process.version}, ${cpus().length} cores, ${database}; autocannon, 32 connections,`);
  console.log(`medians of ${ROUNDS} alternating rounds of 4 s\n`);
  console.log('| work | requests/s | share of the floor | CPU per request | p50 | p99 |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const work of works) {
    const rounds: Record<'service' | 'floor', Round[]> = { service: [], floor: [] };
    for (let round = 0; round < ROUNDS; round++) {
      rounds.floor.push(await load(floor, work));
      rounds.service.push(await load(service, work));
    }
    const [ours, bare] = [medians(rounds.service), medians(rounds.floor)];
    console.log(row(work.name, ours, bare));
    console.log(row('*bare Fastify, same bytes*', bare, bare));
  }
  await floor.stop();
}

function keyOf({ request }: Work): string {
  return `${request.method} ${request.path}`;
}

/** Asks the service once, for the length of its answer. */
async function floorRoute(service: Measured, { request }: Work): Promise<FloorRoute> {
  const { method, path, headers, body } = request;
  const answer = await fetch(service.url + path, { method, headers, body: body ?? null });
  return { method, path, bytes: (await answer.text()).length };
}

function row(name: string, { perSecond, cpuMicros, p50, p99 }: Round, bare: Round): string {
  const share = (perSecond / bare.perSecond).toFixed(3);
  return `| ${name} | ${perSecond.toFixed(0)} | ${share} | ${cpuMicros.toFixed(0)} us | ${p50} ms | ${p99} ms |`;
}
