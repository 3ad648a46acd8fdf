import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Request } from 'autocannon';
import { documentedBody } from '../test/support/keys.js';
import { sessionOf } from '../test/support/sessions.js';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import type { Seen, Work } from './load.js';
import { type Measured, runProgram } from './process.js';
import { authorize, JSON_TYPE, verify } from './requests.js';

/** Requests per hundred: services and gateways send one for each of theirs, people a few. */
const MIX = { verify: 80, authorize: 15, list: 4, issue: 1 };

export const MIX_CONNECTIONS = 64;

/** Owners whose keys are issued and listed in turn: changes of one owner wait for each other, and a list counts all its keys. */
const OWNERS = 50;

/** Each connection has its own hundred; they are 101 apart. */
const HUNDREDS = Math.ceil((MIX_CONNECTIONS * 101) / 100);

/** The input of `processes/mixed-load.ts`. */
export interface MixedLoad {
  url: string;
  requests: Request[];
  connections: number;
  seconds: number;
  /** A steady rate; if absent, as fast as answers arrive. */
  perSecond?: number;
}

export type MixedSeen = Pick<Seen, 'perSecond' | 'p50' | 'p99'>;

/** @throws Error if a request fails */
export async function loadByMix(
  { url }: Measured,
  requests: Request[],
  { seconds, perSecond }: Pick<MixedLoad, 'seconds' | 'perSecond'>,
): Promise<MixedSeen> {
  const folder = mkdtempSync(join(tmpdir(), 'w3k-mix-'));
  try {
    const file = join(folder, 'load.json');
    const load = {
      url,
      requests,
      connections: MIX_CONNECTIONS,
      seconds,
      ...(perSecond !== undefined && { perSecond }),
    };
    writeFileSync(file, JSON.stringify(load satisfies MixedLoad));
    return await runProgram<MixedSeen>('mixed-load', file, {});
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Spreads each kind evenly over every hundred, and the keys over the requests of a kind. */
export function mixedRequests(pairs: readonly KeyPair[]): Request[] {
  const sessions = Array.from({ length: OWNERS }, (_, index) => sessionOf(`owner-${index}`));
  const sessionBy = (nth: number) => sessions[nth % OWNERS]!;
  const body = JSON.stringify(documentedBody);
  const pairOf = (nth: number) => pairs[nth % pairs.length]!;
  const nthOf: Record<keyof typeof MIX, (nth: number) => Work['request']> = {
    verify: (nth) => verify('verify', pairOf(nth)).request,
    authorize: (nth) => authorize('authorize', pairOf(nth)).request,
    list: (nth) => ({ method: 'GET', path: '/api/apiKeys/list', headers: sessionBy(nth) }),
    issue: (nth) => ({ method: 'POST', path: '/api/apiKeys', headers: { ...sessionBy(nth), ...JSON_TYPE }, body }),
  };
  const all = Object.entries(MIX).flatMap(([kind, times]) =>
    Array.from({ length: times * HUNDREDS }, (_, nth) => ({
      at: (nth + 0.5) / times,
      request: nthOf[kind as keyof typeof MIX](nth),
    })),
  );
  return all.toSorted((one, other) => one.at - other.at).map(({ request }) => request);
}
