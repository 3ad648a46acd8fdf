import { choose } from './choose.js';
import { cold } from './sections/cold.js';
import { hit } from './sections/hit.js';
import { limits } from './sections/limits.js';
import { memory } from './sections/memory.js';
import { million } from './sections/million.js';
import { verifier } from './sections/verifier.js';
import { printMachine } from './table.js';

/** Measures verification. Arguments select sections: `npm run bench:verify -- hit cold`. */
const SECTIONS: Record<string, () => Promise<void>> = { hit, verifier, cold, limits, memory, million };

const chosen = choose(SECTIONS, process.argv.slice(2), 'section');
printMachine();
for (const [, section] of chosen) await section();
