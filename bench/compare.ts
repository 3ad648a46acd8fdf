import { onFloor, startFloor } from './floor.js';
import { alternate, load, type Round, warmUp, type Work } from './load.js';
import type { Measured } from './process.js';
import { FLOOR, printHeading, printRow } from './table.js';

/**
 * Prints what each kind of work costs the service, compared with a bare Fastify server that gets the same
 * requests and returns as many bytes, in alternating rounds of the same run.
 *
 * @returns the service's medians, in the order of `works`
 */
export async function compare(title: string, service: Measured, works: Work[]): Promise<Round[]> {
  const floor = await startFloor(service, works);
  try {
    printHeading(title);
    const results: Round[] = [];
    for (const work of works) {
      await warmUp(service, work);
      await warmUp(floor, onFloor(work));
      const [ours, bare] = await alternate(
        () => load(service, work),
        () => load(floor, onFloor(work)),
      );
      if (!ours || !bare) throw new Error('alternate() has lost a run');
      printRow(work.name, ours, bare);
      printRow(FLOOR, bare, bare);
      results.push(ours);
    }
    return results;
  } finally {
    await floor.stop();
  }
}
