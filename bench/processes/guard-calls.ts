import { hash } from 'node:crypto';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { createGuard, type Presented } from '@w3ipfs/api-keys-guard';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { type GuardSetup, SCOPE } from '../guard-setup.js';

/** A round of calls. */
export interface CallRound {
  perSecond: number;
  /** The CPU time of the process for one call. */
  cpuMicros: number;
}

/**
 * Calls `check()` with a known pair, by the pair itself and by the headers of a request, and hashes as many bytes, in
 * alternating rounds; prints those of each.
 */
const ROUNDS = 7;
const ROUND_MS = 700;
/** Calls between two turns of the event loop, in which the guard receives changes. */
const CALLS_A_TURN = 1_000;

const { pair, ...setup } = JSON.parse(process.argv[2] ?? '{}') as GuardSetup & { pair: KeyPair };
const { apiKey, secretKey } = pair;
const guard = createGuard(setup);
await guard.ready();
const required = { scope: SCOPE };
await untilKnown();

/** Known pairs are accepted from the second answer about changes on. */
async function untilKnown(): Promise<void> {
  for (const end = Date.now() + 30_000; !isAccepted(pair); await sleep(10)) {
    if (Date.now() > end) throw new Error(`the pair does not become known: ${guard.state}`);
    await Promise.allSettled([guard.check(pair, required)]);
  }
}

/** Whether the guard itself has accepted a pair. */
function isAccepted(presented: Presented): boolean {
  const verdict = guard.check(presented, required);
  if (!(verdict instanceof Promise)) return verdict.valid;
  verdict.catch(() => undefined);
  return false;
}

const headers = {
  host: '127.0.0.1:8000',
  'user-agent': 'node',
  accept: '*/*',
  pinning_api_key: apiKey,
  pinning_secret_key: secretKey,
};
const salt = 'x'.repeat(43);
const calls = {
  pair: () => isAccepted(pair),
  headers: () => isAccepted({ headers }),
  hash: () => hash('sha256', `${salt}${apiKey}\0${secretKey}`, 'binary').length === 32,
};

/** Begins again if the guard had to ask the service: the machine was too busy for a fresh answer. */
async function round(call: () => boolean): Promise<CallRound> {
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  let count = 0;
  while (performance.now() - began < ROUND_MS) {
    let accepted = 0;
    for (let i = 0; i < CALLS_A_TURN; i++) if (call()) accepted++;
    if (accepted < CALLS_A_TURN) {
      await untilKnown();
      return round(call);
    }
    count += CALLS_A_TURN;
    await turn();
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  return { perSecond: (count / (performance.now() - began)) * 1_000, cpuMicros: (user + system) / count };
}

export type CallRounds = Record<keyof typeof calls, CallRound[]>;
const rounds: CallRounds = { pair: [], headers: [], hash: [] };
for (let count = 0; count < ROUNDS; count++) {
  for (const name of ['pair', 'headers', 'hash'] as const) rounds[name].push(await round(calls[name]));
}
await guard.close();
console.log(JSON.stringify(rounds));
