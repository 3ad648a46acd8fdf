import type { DataSource } from 'typeorm';
import type { IssuedKey } from './keys.js';

const ROWS_AT_ONCE = 5_000;
let batches = 0;

/** Inserts keys without usable secrets, all issued by one, as fast as the database can. */
export async function insertChildren(db: Pick<DataSource, 'query'>, owner: string, key: IssuedKey, count: number) {
  for (let left = count; left > 0; left -= ROWS_AT_ONCE) await insertSome(db, owner, key, Math.min(left, ROWS_AT_ONCE));
}

async function insertSome(db: Pick<DataSource, 'query'>, owner: string, { id }: IssuedKey, count: number) {
  await db.query(
    `INSERT INTO api_keys (id, owner_id, name, api_key, secret_hash, scopes, metadata, issued_by, created_at, updated_at)
     SELECT gen_random_uuid(), $2, 'one of many', 'w3k_' || lpad($3::text, 6, '0') || lpad(i::text, 14, '0'), '',
            '{"admin": false}', '{}', $1, now(), now() FROM generate_series(1, $4::int) AS i`,
    [id, owner, String(++batches), count],
  );
  await countLive(db, owner, count);
}

/** Inserts a chain of keys below one, each issued by the one before it. @returns the id of the last */
export async function insertChain(db: Pick<DataSource, 'query'>, owner: string, { id }: IssuedKey, length: number) {
  const rows = (await db.query(
    `WITH RECURSIVE chain AS (
       SELECT 1 AS i, gen_random_uuid() AS id, $1::uuid AS issued_by
       UNION ALL SELECT i + 1, gen_random_uuid(), chain.id FROM chain WHERE i < $4::int
     ), inserted AS (
       INSERT INTO api_keys (id, owner_id, name, api_key, secret_hash, scopes, metadata, issued_by, created_at, updated_at)
       SELECT id, $2, 'one of a chain', 'w3k_' || lpad($3::text, 6, '0') || lpad(i::text, 14, '0'), '',
              '{"admin": true}', '{}', issued_by, now(), now() FROM chain RETURNING id
     ) SELECT id FROM chain ORDER BY i DESC LIMIT 1`,
    [id, owner, String(++batches), length],
  )) as [{ id: string }];
  await countLive(db, owner, length);
  return rows[0].id;
}

/** Moves a key below another issuer. The service never changes ancestry: call it before the key is used. */
export async function moveBelow(db: Pick<DataSource, 'query'>, { id }: IssuedKey, issuerId: string) {
  await db.query('UPDATE api_keys SET issued_by = $2 WHERE id = $1', [id, issuerId]);
}

async function countLive(db: Pick<DataSource, 'query'>, owner: string, count: number) {
  await db.query('UPDATE owners SET live_keys = live_keys + $2 WHERE owner_id = $1', [owner, count]);
}
