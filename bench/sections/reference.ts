import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import type { BenchDatabase } from '../database.js';
import { onFloor, startFloor } from '../floor.js';
import { alternate, load, type Work } from '../load.js';
import { startMeasured } from '../process.js';
import { variablesOf } from '../service.js';
import { printHeading, printRow, FLOOR } from '../table.js';

/** The same requests to a plain NestJS service that reads the row and runs argon2 on every request. */
export async function printReference(
  database: BenchDatabase,
  service: Parameters<typeof startFloor>[0],
  work: Work,
  pair: KeyPair,
): Promise<void> {
  const program = ['--import', 'tsx', 'bench/processes/reference.ts', JSON.stringify(pair)];
  const reference = await startMeasured(program, variablesOf(database));
  const floor = await startFloor(service, [work]);
  try {
    const [plain, ours, bare] = await alternate(
      () => load(reference, work),
      () => load(service, work),
      () => load(floor, onFloor(work)),
    );
    if (!plain || !ours || !bare) throw new Error('alternate() has lost a run');
    printHeading('Beside a plain NestJS service');
    printRow('verify, hit', ours, bare);
    printRow('*row and argon2 (19456, 2, 1) on every request*', plain, bare);
    printRow(FLOOR, bare, bare);
  } finally {
    await floor.stop();
    await reference.stop();
  }
}
