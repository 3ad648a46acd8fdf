import pg from 'pg';
import { sessionOf } from '../test/support/sessions.js';
import { SERVER_URL, withDatabase } from './database.js';
import { median } from './load.js';
import type { Measured } from './process.js';
import { startService } from './service.js';
import { printMachine, time, whole } from './table.js';

/** Measures a list of a million keys of one owner: the first page and, by the cursor, the 5,000th. */
const MILLION = 1_000_000;
const PAGE = 100;
const PLACES = { 'first page': 0, '5,000th page, by cursor': 4_999 };
const ROUNDS = 21;
const OWNER = 'the-owner-of-a-million';

if (!SERVER_URL) {
  console.error('This needs a PostgreSQL server: DATABASE_URL=postgres://... npm run bench:find');
  process.exit(64);
}
printMachine('one request after the other');
await withDatabase(async (database) => {
  const service = await startService(database, { MANAGEMENT_RATE_LIMIT: '1000000' });
  try {
    await call(service, 'POST', '/api/apiKeys', { name: 'the first', scopes: { admin: true } });
    const connection = new pg.Client({ connectionString: database.DATABASE_URL as string });
    await connection.connect();
    await storeOthers(connection);
    await measure(service, connection);
    await connection.end();
  } finally {
    await service.stop();
  }
});

interface Page {
  total: number;
  api_keys: object[];
}

async function call({ url }: Measured, method: string, path: string, body?: object): Promise<Page> {
  const headers = { ...sessionOf(OWNER), ...(body && { 'content-type': 'application/json' }) };
  const answer = await fetch(url + path, { method, headers, body: body ? JSON.stringify(body) : null });
  if (!answer.ok) throw new Error(await answer.text());
  return ((await answer.json()) as { data: Page }).data;
}

/** Copies of the issued key with other ids and names; ids are in order of time, like real ones. */
async function storeOthers(connection: pg.Client): Promise<void> {
  await connection.query(
    `INSERT INTO api_keys (id, owner_id, name, api_key, secret_hash, scopes, metadata, created_at, updated_at)
     SELECT (lpad(to_hex(1700000000000 + number * 50), 12, '0') || '7' || substr(md5(number::text), 1, 3) || 'a'
             || substr(md5(number::text), 4, 15))::uuid,
            owner_id, 'key ' || number, 'w3k_' || left(md5(number::text), 20), secret_hash, scopes, metadata, now(), now()
     FROM api_keys, generate_series(1, $1::int) AS number WHERE owner_id = $2`,
    [MILLION - 1, OWNER],
  );
  await connection.query('UPDATE owners SET live_keys = $1 WHERE owner_id = $2', [MILLION, OWNER]);
  await connection.query('VACUUM ANALYZE api_keys');
}

async function measure(service: Measured, connection: pg.Client): Promise<void> {
  console.log('\n| work | median | slowest | keys in all |\n| --- | --- | --- | --- |');
  for (const [name, place] of Object.entries(PLACES)) {
    const before = place === 0 ? undefined : await idAt(connection, place * PAGE - 1);
    const cursor = before === undefined ? '' : `&cursor=${Buffer.from(before).toString('base64url')}`;
    const times = [];
    let total = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const began = performance.now();
      const page = await call(service, 'GET', `/api/apiKeys/list?limit=${PAGE}${cursor}`);
      times.push(performance.now() - began);
      if (page.api_keys.length !== PAGE) throw new Error('the page is not full');
      total = page.total;
    }
    console.log(`| ${name} of ${PAGE} | ${time(median(times))} | ${time(Math.max(...times))} | ${whole(total)} |`);
  }
  console.log('\nThe plan of the 5,000th page:\n');
  const before = await idAt(connection, PLACES['5,000th page, by cursor'] * PAGE - 1);
  const plan = await connection.query(
    `EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM api_keys AS key
     WHERE key.owner_id = '${OWNER}' AND key.revoked_at IS NULL AND key.id < '${before}'
     ORDER BY key.id DESC LIMIT ${PAGE + 1}`,
  );
  for (const row of plan.rows as { 'QUERY PLAN': string }[]) console.log(row['QUERY PLAN']);
}

/** The id at a position of the list, newest first. */
async function idAt(connection: pg.Client, place: number): Promise<string> {
  const { rows } = await connection.query(
    'SELECT id FROM api_keys WHERE owner_id = $1 ORDER BY id DESC OFFSET $2 LIMIT 1',
    [OWNER, place],
  );
  return (rows as { id: string }[])[0]?.id ?? '';
}
