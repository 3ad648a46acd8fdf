import { effectiveScopes, SCOPES } from '../../src/principals/scopes.js';
import type { Answer, Client } from './client.js';
import { sessionOf } from './sessions.js';

/** The body of the documentation: a key with every scope there is. */
export const documentedBody = {
  name: 'test-api-key',
  scopes: {
    admin: true,
    data: { pin_list: true, nft_list: true },
    pinning: { unpin: true, pin_by_hash: true, pin_file_to_ipfs: true },
    pin_nft: { unpin_nft: true, pin_nft_to_ipfs: true },
  },
};

/** The same, every scope refused. */
export const powerlessBody = {
  name: 'powerless',
  scopes: {
    admin: false,
    data: { pin_list: false, nft_list: false },
    pinning: { unpin: false, pin_by_hash: false, pin_file_to_ipfs: false },
    pin_nft: { unpin_nft: false, pin_nft_to_ipfs: false },
  },
};

/** The limits of a key that has none. */
export const noLimits = { not_before: null, expires_at: null, max_uses: null, rate_limit: null, allowed_cidrs: null };

/** The body of a key with these scopes and no other. */
export function bodyWith(scopes: readonly string[], more: object = {}): object {
  const body = structuredClone({
    name: `has ${scopes.length} scopes`,
    scopes: effectiveScopes({ admin: scopes.includes('admin') }),
  });
  for (const scope of SCOPES.filter((name) => name !== 'admin' && scopes.includes(name))) {
    const [group = '', flag = ''] = scope.split('.');
    (body.scopes as unknown as Record<string, Record<string, boolean>>)[group]![flag] = true;
  }
  return { ...body, ...more };
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
