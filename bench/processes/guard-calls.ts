import { hash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { createGuard, type GuardVerdict, type Presented } from '@w3ipfs/api-keys-guard';
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
// Changes are known from the second answer on
for (const end = Date.now() + 10_000; (await check(pair)).source !== 'local';) {
  if (Date.now() > end) throw new Error(`the pair does not become known: ${guard.state}`);
  await turn();
}

async function check(presented: Presented): Promise<GuardVerdict> {
  return guard.check(presented, required);
}

function checkHere(presented: Presented): void {
  const verdict = guard.check(presented, required);
  if (verdict instanceof Promise || !verdict.valid) throw new Error('a known pair was not at hand');
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
  pair: () => checkHere(pair),
  headers: () => checkHere({ headers }),
  hash: () => void hash('sha256', `${salt}${apiKey}\0${secretKey}`, 'binary'),
};

async function round(call: () => void): Promise<CallRound> {
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  let count = 0;
  while (performance.now() - began < ROUND_MS) {
    for (let i = 0; i < CALLS_A_TURN; i++) call();
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
