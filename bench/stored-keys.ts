import { v7 as uuidv7 } from 'uuid';
import type { DataSource } from 'typeorm';
import { mintApiKey, mintSecretKey } from '../src/api-keys/credentials/credentials.js';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { ADMIN_SCOPES, effectiveScopes } from '../src/principals/scopes.js';
import { SecretHasher } from '../src/api-keys/credentials/secret-hasher.js';
import { createDataSource } from '../src/database/data-source.js';
import type { BenchDatabase } from './database.js';
import { defaultHashCost, environmentOf } from './service.js';
import { CredentialKeyring } from '../src/api-keys/credentials/credential-keyring.js';

/** libuv hashes on four threads; a few more tasks keep all of them busy. */
const HASHED_AT_ONCE = 16;
const ROWS_AT_ONCE = 5_000;

/** The default cost of a hash. */
const hasher = new SecretHasher(defaultHashCost());

/** Every scope but `admin`. */
const SCOPES = { ...effectiveScopes(ADMIN_SCOPES), admin: false };

const COLUMNS = 'id, owner_id, name, api_key, secret_hash, scopes, metadata, created_at, updated_at';

/**
 * Creates keys and inserts them as the service would, hashed at its default cost.
 * A service has to be running on the database, here and below.
 */
export async function storeKeys(database: BenchDatabase, count: number): Promise<KeyPair[]> {
  const { keys } = new CredentialKeyring(environmentOf(database));
  const pairs = Array.from({ length: count }, () => {
    const apiKey = mintApiKey();
    return { apiKey, secretKey: mintSecretKey(apiKey, keys) };
  });
  await onDatabase(database, async (dataSource) => {
    for (let first = 0; first < count; first += ROWS_AT_ONCE) {
      const some = pairs.slice(first, first + ROWS_AT_ONCE);
      await insert(dataSource, some, await hashAll(some));
    }
  });
  return pairs;
}

/** Sets limits of keys that no service has cached yet. */
export async function limitKeys(
  database: BenchDatabase,
  pairs: readonly KeyPair[],
  { maxUses, requestsPerSecond }: { maxUses?: number; requestsPerSecond?: number },
): Promise<void> {
  const apiKeys = pairs.map(({ apiKey }) => apiKey);
  await onDatabase(database, async (dataSource) => {
    await dataSource.query(
      `UPDATE api_keys SET max_uses = $2, rate_limit_requests = $3, rate_limit_window_seconds = $4
       WHERE api_key = ANY($1)`,
      [apiKeys, maxUses ?? null, requestsPerSecond ?? null, requestsPerSecond === undefined ? null : 1],
    );
  });
}

/** Inserts filler rows by one statement. They look like keys, but their secrets are not known. */
export async function storeOthers(database: BenchDatabase, count: number): Promise<void> {
  await onDatabase(database, async (dataSource) => {
    await dataSource.query(
      `INSERT INTO api_keys (${COLUMNS})
       SELECT gen_random_uuid(), gen_random_uuid()::text, 'another key', 'w3k_' || left(md5(number::text), 20),
              (SELECT secret_hash FROM api_keys LIMIT 1), $2, '{}', now(), now()
       FROM generate_series(1, $1::int) AS number`,
      [count, SCOPES],
    );
    // Otherwise the server would do so during the measurement
    await dataSource.query('VACUUM ANALYZE api_keys');
  });
}

/** Connects while a service runs on the database: it has migrated it, and serves the embedded one. */
async function onDatabase(database: BenchDatabase, use: (dataSource: DataSource) => Promise<void>): Promise<void> {
  const dataSource = await createDataSource(environmentOf(database).database).initialize();
  try {
    await use(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

/** How many secrets this machine hashes in a second at the default cost, by a short trial. */
export async function hashesPerSecond(): Promise<number> {
  const secrets = Array.from({ length: 1_000 }, () => ({ apiKey: '', secretKey: 'w3s_'.padEnd(44, 'a') }));
  const began = performance.now();
  await hashAll(secrets);
  return secrets.length / ((performance.now() - began) / 1_000);
}

async function hashAll(pairs: KeyPair[]): Promise<string[]> {
  const hashes: string[] = [];
  let next = 0;
  const work = async () => {
    for (let index = next++; index < pairs.length; index = next++) {
      hashes[index] = await hasher.hash(pairs[index]?.secretKey ?? '');
    }
  };
  await Promise.all(Array.from({ length: HASHED_AT_ONCE }, work));
  return hashes;
}

async function insert(dataSource: DataSource, pairs: KeyPair[], hashes: string[]): Promise<void> {
  const ids = pairs.map(() => uuidv7());
  const apiKeys = pairs.map(({ apiKey }) => apiKey);
  await dataSource.query(
    `INSERT INTO api_keys (${COLUMNS})
     SELECT id, gen_random_uuid()::text, 'a key', api_key, secret_hash, $4, '{}', now(), now()
     FROM unnest($1::uuid[], $2::text[], $3::text[]) AS row (id, api_key, secret_hash)`,
    [ids, apiKeys, hashes, SCOPES],
  );
}
