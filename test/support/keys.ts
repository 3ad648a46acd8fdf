import { effectiveScopes, type Scope, type Scopes, scopesOf } from '../../src/principals/scopes.js';
import { LimitsDto } from '../../src/api-keys/dto/limits.dto.js';
import { NO_LIMITS } from '../../src/principals/key-limits.js';
import type { Answer, Client } from './client.js';
import { sessionOf } from './sessions.js';

/** The request of the published documentation, as it stands there. */
export const documentedBody = {
  name: 'test-api-key',
  scopes: {
    admin: true,
    data: { pin_list: true, nft_list: true },
    pinning: { unpin: true, pin_by_hash: true, pin_file_to_ipfs: true },
    pin_nft: { unpin_nft: true, pin_nft_to_ipfs: true },
  },
};

/** The body of a key without any scope. */
export const powerlessBody = { name: 'powerless', scopes: fullScopes() };

/** The limits in the record of a key without limits. */
export const noLimits = Object.fromEntries(Object.keys(LimitsDto.of(NO_LIMITS)).map((limit) => [limit, null]));

/** The body of a key with exactly these scopes. */
export function bodyWith(scopes: readonly Scope[], more: object = {}) {
  return { name: `has ${scopes.length} scopes`, scopes: fullScopes(scopes), ...more };
}

/** The complete object of these scopes, of which `admin` implies every other. */
export function fullScopes(granted: readonly Scope[] = []): Scopes {
  return effectiveScopes(scopesOf(granted));
}

export interface IssuedKey {
  id: string;
  api_key: string;
  secret_key: string;
}

/** Issues a key by a session of the owner, an admin key unless the body says otherwise. */
export async function issueKey(client: Client, owner: string, body: object = documentedBody): Promise<IssuedKey> {
  return issued(await client.post('/api/apiKeys', sessionOf(owner), body));
}

export function issued(answer: Answer): IssuedKey {
  if (answer.status !== 200) throw new Error(`no key was issued: ${answer.status} ${answer.text}`);
  return answer.body.data as IssuedKey;
}

/** The pair in the headers that the documentation names. */
export function pairHeaders({ api_key, secret_key }: Pair) {
  return { pinning_api_key: api_key, pinning_secret_key: secret_key };
}

type Pair = Pick<IssuedKey, 'api_key' | 'secret_key'>;

/** The pair in one string. */
export function credentialOf({ api_key, secret_key }: Pair): string {
  return `${api_key}.${secret_key}`;
}

/** The values of `Authorization` that present the pair. */
export function bearerOf(pair: Pair): string {
  return `Bearer ${credentialOf(pair)}`;
}

export function basicOf({ api_key, secret_key }: Pair): string {
  return `Basic ${Buffer.from(`${api_key}:${secret_key}`).toString('base64')}`;
}
