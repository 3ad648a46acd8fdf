import { firstOf, withKeys } from '../guard-setup.js';
import { median } from '../load.js';
import { runProgram } from '../process.js';
import type { CallRound, CallRounds } from '../processes/guard-calls.js';
import { printBarHeading, printBarRow, whole } from '../table.js';

const BAR = '1,000,000/s';

/** Measures `guard.check()` of a known pair, alone in a process. */
export function guardCalls(): Promise<void> {
  return withKeys(1, async ({ setup, pairs }) => {
    const argument = JSON.stringify({ ...setup, pair: firstOf(pairs) });
    const { pair, headers, hash } = await runProgram<CallRounds>('guard-calls', argument, {});
    printBarHeading('A known pair, without HTTP');
    printBarRow('guard.check({ apiKey, secretKey })', figures(pair), BAR);
    printBarRow('guard.check({ headers })', figures(headers), BAR);
    printBarRow('*SHA-256 of the same bytes alone*', figures(hash));
  });
}

function figures(rounds: CallRound[]): string {
  const perSecond = median(rounds.map((round) => round.perSecond));
  const cpuMicros = median(rounds.map((round) => round.cpuMicros));
  return `${whole(perSecond)}/s, ${cpuMicros.toFixed(2)} us of CPU a call (${whole(1e6 / cpuMicros)} in a second of CPU)`;
}
