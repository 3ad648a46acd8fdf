import { cold } from './sections/cold.js';
import { hit } from './sections/hit.js';
import { limits } from './sections/limits.js';
import { memory } from './sections/memory.js';
import { million } from './sections/million.js';
import { verifier } from './sections/verifier.js';
import { printMachine } from './table.js';

/** Measures verification. Arguments select sections: `npm run bench:verify -- hit cold`. */
const SECTIONS: Record<string, () => Promise<void>> = { hit, verifier, cold, limits, memory, million };

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !SECTIONS[name]);
if (unknown.length > 0) {
  console.error(`There is no section ${unknown.join(', ')}; there are: ${Object.keys(SECTIONS).join(', ')}`);
  process.exit(64);
}
printMachine();
for (const [name, section] of Object.entries(SECTIONS)) {
  if (chosen.length === 0 || chosen.includes(name)) await section();
}
