import { firstOf, type GuardSetup, SCOPE, withKeys } from '../guard-setup.js';
import { alternateTimes, load, type Round, warmUp, type Work } from '../load.js';
import { type Measured, startMeasured } from '../process.js';
import type { Protection } from '../processes/guarded-routes.js';
import { pairHeaders } from '../requests.js';
import { printHeading, printRow } from '../table.js';

const ROUNDS = 5;
const PROTECTIONS: Record<Protection, string> = {
  bare: '*bare*',
  guarded: 'guarded, must reach 0.90',
  asking: 'asking POST /verify each time',
};

/** Measures a Fastify route behind the guard, and the same one that asks the service each time, beside the bare one. */
export function guardedRoute(): Promise<void> {
  return withKeys(1, async ({ setup, pairs }) => {
    const headers = pairHeaders(firstOf(pairs));
    const work: Work = { name: 'pins', request: { method: 'GET', path: '/pins', headers }, expects: '"pins"' };
    const names = Object.keys(PROTECTIONS) as Protection[];
    const servers = await Promise.all(names.map((protection) => startRoute(setup, protection)));
    try {
      for (const server of servers) await warmUp(server, work);
      const rounds = await alternateTimes(
        ROUNDS,
        servers.map((server) => () => load(server, work)),
      );
      print(names, rounds);
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  });
}

function startRoute(setup: GuardSetup, protection: Protection): Promise<Measured> {
  const argument = JSON.stringify({ ...setup, protection });
  return startMeasured(['--import', 'tsx', 'bench/processes/guarded-routes.ts', argument], {});
}

function print(names: Protection[], rounds: Round[]): void {
  const bare = rounds[names.indexOf('bare')];
  if (!bare) throw new Error('alternate() has lost a run');
  printHeading(`A Fastify route that needs ${SCOPE}`, 'the bare route');
  for (const [index, round] of rounds.entries()) printRow(PROTECTIONS[names[index] ?? 'bare'], round, bare);
}
