import { choose } from './choose.js';
import { guardCalls } from './sections/guard-calls.js';
import { guardedRoute } from './sections/guarded-route.js';
import { guardMemory } from './sections/guard-memory.js';
import { idleGuards } from './sections/idle-guards.js';
import { printMachine } from './table.js';

/** Measures the guard. Arguments select sections: `npm run bench:guard -- calls route`. */
const SECTIONS: Record<string, () => Promise<void>> = {
  calls: guardCalls,
  route: guardedRoute,
  idle: idleGuards,
  memory: guardMemory,
};

const chosen = choose(SECTIONS, process.argv.slice(2), 'section');
printMachine();
for (const [, section] of chosen) await section();
