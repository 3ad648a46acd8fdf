import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { documentedBody, type IssuedKey } from '../test/support/keys.js';
import { sessionOf } from '../test/support/sessions.js';
import { ask } from './floor.js';
import type { Work } from './load.js';
import type { Measured } from './process.js';
import { SERVICE_TOKEN } from './service.js';

export const JSON_TYPE = { 'content-type': 'application/json' };

const SCOPE = 'pinning.unpin';
const FROM_SERVICE = { authorization: `Bearer ${SERVICE_TOKEN}`, ...JSON_TYPE };
const VALID = '"code":"VALID"';
const SUCCESS = '"status":"success"';

export function verifyBody({ apiKey, secretKey }: KeyPair): string {
  return JSON.stringify(question(apiKey, secretKey));
}

export function verify(name: string, pair: KeyPair, expects = VALID): Work {
  const request = {
    method: 'POST',
    path: '/api/apiKeys/verify',
    headers: FROM_SERVICE,
    body: verifyBody(pair),
  } as const;
  return { name, request, expects };
}

/** A pair of the right shape with a wrong tag. */
export function verifyMadeUp(name: string): Work {
  const pair = { apiKey: `w3k_${'a'.repeat(20)}`, secretKey: `w3s_${'a'.repeat(40)}` };
  return verify(name, pair, 'INVALID_CREDENTIALS');
}

export function verifyBatch(name: string, pairs: readonly KeyPair[]): Work {
  const body = JSON.stringify({ requests: pairs.map(({ apiKey, secretKey }) => question(apiKey, secretKey)) });
  const request = { method: 'POST', path: '/api/apiKeys/verify/batch', headers: FROM_SERVICE, body } as const;
  return { name, request, expects: VALID };
}

/** The pair in the headers that the documentation names. */
export function pairHeaders({ apiKey, secretKey }: KeyPair) {
  return { pinning_api_key: apiKey, pinning_secret_key: secretKey };
}

export function authorize(name: string, pair: KeyPair): Work {
  const headers = pairHeaders(pair);
  const request = { method: 'GET', path: `/api/apiKeys/authorize?scope=${SCOPE}`, headers } as const;
  return { name, request, expects: '' };
}

export function issue(name: string, headers: Record<string, string>): Work {
  const body = JSON.stringify(documentedBody);
  const request = { method: 'POST', path: '/api/apiKeys/', headers: { ...headers, ...JSON_TYPE }, body } as const;
  return { name, request, expects: SUCCESS };
}

/** Issues an admin key by a session of the owner. */
export async function issueOne(service: Measured, owner: string): Promise<IssuedKey> {
  const answer = await ask(service, issue('issue one', sessionOf(owner)));
  return ((await answer.json()) as { data: IssuedKey }).data;
}

/** A GET of the management API. */
export function read(name: string, path: string, headers: Record<string, string>): Work {
  return { name, request: { method: 'GET', path, headers }, expects: SUCCESS };
}

const BATCH = 100;
/** Keeps the number of callers that wait for argon2 below the cap of the service. */
const BATCHES_AT_ONCE = 8;

/** Verifies every pair once, in batches. @throws Error if one of them is not valid */
export async function fillCache(service: Measured, pairs: readonly KeyPair[]): Promise<void> {
  let next = 0;
  const work = async () => {
    for (let first = (next += BATCH) - BATCH; first < pairs.length; first = (next += BATCH) - BATCH) {
      const answer = await ask(service, verifyBatch('fill', pairs.slice(first, first + BATCH)));
      const text = await answer.text();
      if (!answer.ok || text.includes('"valid":false')) throw new Error(`a key was refused: ${text}`);
    }
  };
  await Promise.all(Array.from({ length: BATCHES_AT_ONCE }, work));
}

function question(apiKey: string, secretKey: string) {
  return { api_key: apiKey, secret_key: secretKey, scope: SCOPE };
}
