import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { ApiKey, NEW_KEY } from '../../src/api-keys/api-key.entity.js';
import { credentialKey, mintApiKey, mintSecretKey } from '../../src/api-keys/credentials/credentials.js';
import { SecretHasher } from '../../src/api-keys/credentials/secret-hasher.js';
import { runConcurrently } from './at-once.js';
import type { IssuedKey } from './keys.js';
import type { TestService } from './service.js';

const ROWS_AT_ONCE = 500;
/** The cheapest hashes, for services started with `cheapHashes`. */
const hasher = new SecretHasher({ memoryKib: 8, passes: 1 });
export const cheapHashes = { ARGON2_MEMORY_KIB: '8', ARGON2_PASSES: '1' };

/**
 * Stores keys of one owner in a service's database, faster than by issuing them. Their tags are signed with this server
 * key.
 */
export async function storeKeys(
  { app }: TestService,
  serverKey: Buffer,
  count: number,
  columns: Partial<ApiKey>,
): Promise<IssuedKey[]> {
  const signingKey = credentialKey(serverKey);
  const pairs = Array.from({ length: count }, () => {
    const api_key = mintApiKey();
    return { id: uuidv7(), api_key, secret_key: mintSecretKey(api_key, [signingKey]) };
  });
  const rows: Partial<ApiKey>[] = [];
  await runConcurrently(8, pairs.entries(), async ([i, { id, api_key, secret_key }]) => {
    const now = new Date();
    const row = {
      id,
      identifier: api_key,
      ownerId: 'ann',
      name: `key ${i}`,
      secretHash: await hasher.hash(secret_key),
    };
    const signer = { secretSignedBy: signingKey.fingerprint };
    const times = { createdAt: now, updatedAt: now };
    rows.push({ ...NEW_KEY, ...row, ...signer, ...times, scopes: { admin: false }, metadata: {}, ...columns });
  });
  while (rows.length > 0) await app.get(DataSource).getRepository(ApiKey).insert(rows.splice(0, ROWS_AT_ONCE));
  return pairs;
}
