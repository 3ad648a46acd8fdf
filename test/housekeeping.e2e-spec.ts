import { DataSource } from 'typeorm';
import { Housekeeping } from '../src/operations/lifecycle/housekeeping.js';
import { range } from './support/at-once.js';
import { TestClock } from './support/clock.js';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { issued, issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceVariables, verify } from './support/verification.js';

const variables = { ...serviceVariables, RETENTION_DAYS: '7', CREDENTIAL_KEYS: Buffer.alloc(32, 7).toString('base64') };
/** A hundred days ahead of the database's clock, which alone decides what is removed. */
const clock = new TestClock(Date.now() + 8_640_000_000);

let database: TestDatabase;
let service: TestService;
beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService(variables, database, clock);
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});

const tidyUp = (of = service) => of.app.get(Housekeeping, { strict: false }).run();
const query = <T>(sql: string, parameters: unknown[] = []): Promise<T[]> =>
  service.app.get(DataSource).query(sql, parameters);
const count = async (table: string, where = 'TRUE') =>
  (await query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table} WHERE ${where}`))[0]?.count;
const statusOf = async ({ id }: IssuedKey) => (await service.client.get(`/api/apiKeys/${id}`, sessionOf('ann'))).status;
/** Moves the revocation of keys and the expiry of stored answers into the past. */
const revokedFor = (interval: string, ...keys: IssuedKey[]) =>
  query('UPDATE api_keys SET revoked_at = now() - $1::interval WHERE id = ANY($2)', [
    interval,
    keys.map(({ id }) => id),
  ]);
const remove = (key: IssuedKey, of = '') => service.client.delete(`/api/apiKeys/${key.id}${of}`, sessionOf('ann'));

it('purges keys revoked longer ago than the retention, with their usage, and nothing else', async () => {
  const [kept, early, late] = [
    await issueKey(service.client, 'ann', powerlessBody),
    await issueKey(service.client, 'ann', powerlessBody),
    await issueKey(service.client, 'ann', powerlessBody),
  ];
  const keys = [kept, early, late];
  for (const key of keys) expect((await verify(service.client, key)).body.data.code).toBe('VALID');
  await until(async () => (await count('usage_days')) === 3, 'the statistics');
  for (const key of [early, late]) await remove(key);
  await revokedFor('6 days 23 hours', early, late);
  await tidyUp();
  expect(await Promise.all(keys.map(statusOf))).toEqual([200, 200, 200]);
  await revokedFor('7 days 1 second', early);
  await tidyUp();
  expect(await Promise.all(keys.map(statusOf))).toEqual([200, 404, 200]);
  expect(await query('SELECT api_key_id FROM usage_days ORDER BY api_key_id')).toEqual(
    [kept, late].map(({ id }) => ({ api_key_id: id })),
  );
  const { total } = (await service.client.get('/api/apiKeys/list?status=revoked', sessionOf('ann'))).body.data;
  expect(total).toBe(1);
  const path = `/api/apiKeys/events?api_key_id=${early.id}&action=key.revoked`;
  expect((await service.client.get(path, sessionOf('ann'))).body.data.events).toHaveLength(1);
});

it('keeps the keys needed to trace descendants', async () => {
  const child = async (parent: IssuedKey) =>
    issued(await service.client.post('/api/apiKeys', pairHeaders(parent), { name: 'child', scopes: { admin: true } }));
  const root = await issueKey(service.client, 'ann');
  const middle = await child(root);
  const leaf = await child(middle);
  await remove(middle);
  await revokedFor('8 days', middle);
  await tidyUp();
  expect((await remove(root, '?cascade=true')).body.data.revoked).toBe(2);
  expect((await verify(service.client, leaf)).body.data.code).toBe('REVOKED');
  await revokedFor('8 days', root, middle, leaf);
  await until(async () => {
    await tidyUp();
    return (await count('api_keys', `id IN ('${root.id}', '${middle.id}', '${leaf.id}')`)) === 0;
  }, 'all three to be purged');
});

it('removes expired stored answers', async () => {
  const create = (key: string) =>
    service.client.post('/api/apiKeys', { ...sessionOf('ann'), 'idempotency-key': key }, powerlessBody);
  const answers = [await create('the first of two words'), await create('the second of two words')];
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  await tidyUp();
  expect(await count('idempotent_answers')).toBe(2);
  await query(`UPDATE idempotent_answers SET expires_at = now() - interval '1 second'
               WHERE id = (SELECT id FROM idempotent_answers ORDER BY id LIMIT 1)`);
  await tidyUp();
  expect(await count('idempotent_answers')).toBe(1);
});

it('removes nothing by the clock of a process that runs ahead', async () => {
  const key = await issueKey(service.client, 'ann', powerlessBody);
  expect((await verify(service.client, key)).body.data.code).toBe('VALID');
  await until(async () => (await count('usage_days', `api_key_id = '${key.id}'`)) === 1, 'the statistics');
  const headers = { ...sessionOf('ann'), 'idempotency-key': 'a word for the process ahead' };
  const first = await service.client.post('/api/apiKeys', headers, powerlessBody);
  await remove(key);
  // As written by a process with the right time
  await revokedFor('0 seconds', key);
  await tidyUp();
  expect([await statusOf(key), await count('usage_days', `api_key_id = '${key.id}'`)]).toEqual([200, 1]);
  expect((await service.client.post('/api/apiKeys', headers, powerlessBody)).text).toBe(first.text);
});

it('dates a revocation by the clock of the database, whatever the clock of the process', async () => {
  const key = await issueKey(service.client, 'ann', powerlessBody);
  await remove(key);
  expect(await count('api_keys', `id = '${key.id}' AND abs(extract(epoch FROM now() - revoked_at)) < 3600`)).toBe(1);
});

it('removes invalidations that every process has seen, by the clock of the database', async () => {
  await query('DELETE FROM key_changes');
  const insert = `INSERT INTO key_changes (transaction_id, api_key, changed_at) VALUES (1, $1, now() - $2::interval)`;
  await query(insert, ['old', '1 hour 1 second']);
  await query(insert, ['new', '59 minutes']);
  await tidyUp();
  expect(await query(`SELECT api_key FROM key_changes WHERE api_key <> 'h:'`)).toEqual([{ api_key: 'new' }]);
});

it('continues until nothing is left, however much there is', async () => {
  await query(
    `INSERT INTO idempotent_answers
     SELECT sha256(i::text::bytea), '', NULL, now() - interval '1 second' FROM generate_series(1, 1700) AS i`,
  );
  await tidyUp();
  expect(await count('idempotent_answers', `fingerprint = ''`)).toBe(0);
});

it('also runs at the start', async () => {
  const key = await issueKey(service.client, 'ann', powerlessBody);
  await remove(key);
  await revokedFor('8 days', key);
  await service.stop();
  service = await startService(variables, database, clock);
  await until(async () => (await statusOf(key)) === 404, 'the key to be purged');
});

// The embedded database allows only one process
(onServer ? it : it.skip)('is harmless if several processes begin at once while keys are used', async () => {
  const kept = await issueKey(service.client, 'ann', powerlessBody);
  await query(
    `INSERT INTO api_keys (id, owner_id, name, api_key, secret_hash, scopes, metadata, created_at, updated_at, revoked_at)
     SELECT gen_random_uuid(), 'ann', 'old', 'w3k_' || lpad(i::text, 20, '0'), '', '{"admin": false}', '{}', now(), now(),
            now() - interval '8 days'
     FROM generate_series(1, 2600) AS i`,
  );
  const other = await startService(variables, database, clock);
  try {
    const tidying = Promise.all(range(6).map((index) => tidyUp(index % 2 === 0 ? service : other)));
    for (const _ of range(50)) expect((await verify(service.client, kept)).body.data.code).toBe('VALID');
    await tidying;
    // The other process has run it since its start; concurrent attempts do nothing
    await until(async () => (await count('api_keys', `name = 'old'`)) === 0, 'all that is old to be purged');
    expect(await statusOf(kept)).toBe(200);
  } finally {
    await other.stop();
  }
});
