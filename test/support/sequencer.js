import { readFileSync } from 'node:fs';
import TestSequencer from '@jest/test-sequencer';

/** Runs the tests that measure memory first, in workers that are small: with every file, a worker grows. */
export default class MemoryFirst extends TestSequencer {
  sort(tests) {
    // oxlint-disable-next-line unicorn/no-array-sort -- the sequencer's own
    const sorted = super.sort(tests);
    const measures = ({ path }) => readFileSync(path, 'utf8').includes('heldMemory');
    return [...sorted.filter(measures), ...sorted.filter((test) => !measures(test))];
  }
}
