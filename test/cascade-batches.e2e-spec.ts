import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { runConcurrently, range } from './support/at-once.js';
import { outcomeOf } from './support/answers.js';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { moveBelow, insertChain, insertChildren } from './support/key-rows.js';
import { documentedBody, issued, type IssuedKey, issueKey, pairHeaders, powerlessBody } from './support/keys.js';
import { type ServiceProcess, sharedVariables, startProcess } from './support/process.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { verify } from './support/verification.js';

let database: TestDatabase;
let service: TestService;
/** A second process; on the embedded database, which allows only one, the first. */
let other: ServiceProcess | TestService;
let db: DataSource;
beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService(sharedVariables, database);
  other = onServer ? await startProcess({ ...sharedVariables, ...database.variables }) : service;
  db = service.app.get(DataSource);
});
afterAll(async () => {
  if (other !== service) await other.stop();
  await service.stop();
  await database.drop();
});

const pathOf = ({ id }: Pick<IssuedKey, 'id'>) => `/api/apiKeys/${id}`;
const issue = (owner: string, body: object = documentedBody) => issueKey(service.client, owner, body);
const child = async (parent: IssuedKey, body: object = documentedBody) =>
  issued(await service.client.post('/api/apiKeys', pairHeaders(parent), body));
const cascade = (owner: string, key: IssuedKey, by: Pick<TestService, 'client'> = service) =>
  by.client.delete(`${pathOf(key)}?cascade=true`, sessionOf(owner));
const codeOf = async ({ client }: Pick<TestService, 'client'>, key: IssuedKey) =>
  (await verify(client, key)).body.data?.code;
const totalOf = async (owner: string) =>
  (await service.client.get('/api/apiKeys/list', sessionOf(owner))).body.data.total;
const underWay = async (owner: string) =>
  (await db.query('SELECT root_id FROM cascades WHERE owner_id = $1', [owner])).length;
const liveOf = async (owner: string) =>
  Number(
    (await db.query('SELECT count(*) FROM api_keys WHERE owner_id = $1 AND revoked_at IS NULL', [owner]))[0].count,
  );
const isOver = (owner: string) => until(async () => (await underWay(owner)) === 0, 'the cascade to be complete');

async function isRevokedAtOnce(...keys: IssuedKey[]): Promise<void> {
  for (const key of keys) expect(await codeOf(service, key)).toBe('REVOKED');
  for (const key of keys) await until(async () => (await codeOf(other, key)) === 'REVOKED', 'the other process');
}

// A chain is read key by key, which is slow on the embedded database
const CHAIN = onServer ? 5_000 : 500;

it(`revokes a chain of ${CHAIN}, and refuses its last key at once`, async () => {
  const root = await issue('deep');
  const last = await child(root);
  const kept = await issue('deep');
  await moveBelow(db, last, await insertChain(db, 'deep', root, CHAIN));
  for (const process of [service, other]) expect(await codeOf(process, last)).toBe('VALID');
  expect((await cascade('deep', root)).status).toBe(200);
  await isRevokedAtOnce(root, last);
  expect(await codeOf(service, kept)).toBe('VALID');
  await isOver('deep');
  expect([await liveOf('deep'), await totalOf('deep')]).toEqual([1, 1]);
  await isRevokedAtOnce(root, last);
});

// The embedded database would take minutes for that many rows; `faults/isolation` cascades over more of them
const CHILDREN = onServer ? 40_000 : 5_000;

const PAUSE_MS = 25;

// The longer timeout is for slow machines
it(`revokes a root with ${CHILDREN} children, reports progress, and lets the owner's other changes through`, async () => {
  const root = await issue('wide');
  const [first, grandchild] = [await child(root), await child(root)];
  await moveBelow(db, grandchild, first.id);
  const kept = await issue('wide');
  await insertChildren(db, 'wide', root, CHILDREN);
  for (const process of [service, other]) expect(await codeOf(process, grandchild)).toBe('VALID');
  const { status, body } = await cascade('wide', root);
  expect(status).toBe(200);
  const { revoked, complete } = body.data;
  expect(complete).toBe(revoked === CHILDREN + 3);
  await isRevokedAtOnce(root, first, grandchild);
  expect(outcomeOf(await cascade('wide', root))).toBe('404 key_not_found');
  const renamed = await service.client.call('PATCH', pathOf(kept), { headers: sessionOf('wide'), body: { name: 'x' } });
  expect([renamed.status, await codeOf(service, kept)]).toEqual([200, 'VALID']);
  // With pauses: a cascade yields while the process is busy
  while ((await underWay('wide')) > 0) {
    expect(await codeOf(service, kept)).toBe('VALID');
    await sleep(PAUSE_MS);
  }
  expect([await liveOf('wide'), await totalOf('wide')]).toEqual([1, 1]);
  const [{ count }] = await db.query(
    `SELECT count(*)::int FROM audit_events WHERE owner_id = 'wide' AND action = 'key.revoked'`,
  );
  expect(count).toBe(CHILDREN + 3);
  await isRevokedAtOnce(root, first, grandchild);
}, 900_000);

// Rows are locked from a second connection, which would block on the embedded database
(onServer ? describe : describe.skip)('before the row of a descendant is written', () => {
  let holder: pg.Client;
  beforeAll(async () => {
    holder = new pg.Client({ connectionString: database.variables.DATABASE_URL as string });
    await holder.connect();
  });
  afterAll(() => holder.end());

  it('it is refused by every process, can change nothing, and cannot be changed', async () => {
    const root = await issue('held');
    const [middle, victim] = [await child(root), await issue('held')];
    const leaf = await child(middle);
    for (const process of [service, other]) expect(await codeOf(process, leaf)).toBe('VALID');
    await holder.query('BEGIN');
    await holder.query('SELECT FROM api_keys WHERE id = $1 FOR UPDATE', [leaf.id]);

    const answer = await cascade('held', root);
    expect(answer.body).toMatchObject({ status: 'success', data: { revoked: 1, complete: false } });
    await isRevokedAtOnce(root, middle, leaf);
    expect(await liveOf('held')).toBe(3);
    for (const [method, rest, body] of [
      ['PATCH', '', { enabled: true }],
      ['POST', '/rotate', {}],
      ['DELETE', '', undefined],
      ['DELETE', '?cascade=true', undefined],
    ] as const) {
      for (const key of [middle, root]) {
        const options = { headers: sessionOf('held'), body };
        expect(outcomeOf(await other.client.call(method, pathOf(key) + rest, options))).toBe('404 key_not_found');
      }
    }
    for (const call of [
      service.client.post('/api/apiKeys', pairHeaders(leaf), powerlessBody),
      other.client.post(`${pathOf(victim)}/rotate`, pairHeaders(leaf), {}),
      service.client.get('/api/apiKeys/testAuthentication', pairHeaders(middle)),
    ]) {
      const { status, body } = await call;
      expect([status, body.error.reason]).toEqual([401, 'REVOKED']);
    }
    expect(await codeOf(service, victim)).toBe('VALID');

    await holder.query('COMMIT');
    await isOver('held');
    expect([await liveOf('held'), await totalOf('held')]).toEqual([1, 1]);
    await isRevokedAtOnce(root, middle, leaf);
  });

  it('a process that starts in the meantime refuses it too', async () => {
    const root = await issue('late');
    const leaf = await child(await child(root));
    await holder.query('BEGIN');
    await holder.query('SELECT FROM api_keys WHERE id = $1 FOR UPDATE', [leaf.id]);
    expect((await cascade('late', root)).body.data.complete).toBe(false);
    const third = await startProcess({ ...sharedVariables, ...database.variables });
    expect(await codeOf(third, leaf)).toBe('REVOKED');
    await third.stop();
    await holder.query('COMMIT');
    await isOver('late');
  });
});

it('revokes each key once if a second cascade begins above or below the first', async () => {
  const [outer] = [await issue('nested')];
  const inner = await child(outer);
  await insertChildren(db, 'nested', outer, 3_000);
  await insertChildren(db, 'nested', inner, 3_000);
  const answers = await Promise.all([cascade('nested', inner), cascade('nested', outer, other)]);
  for (const answer of answers) expect(['200', '404 key_not_found']).toContain(outcomeOf(answer));
  expect(outcomeOf(answers[1])).toBe('200');
  await isOver('nested');
  expect([await liveOf('nested'), await totalOf('nested')]).toEqual([0, 0]);
  const [{ count }] = await db.query(
    `SELECT count(*)::int FROM audit_events WHERE owner_id = 'nested' AND action = 'key.revoked'`,
  );
  expect(count).toBe(6_002);
});

it('runs beside changes of its descendants without deadlocks or failures', async () => {
  const root = await issue('busy');
  const keys: IssuedKey[] = [];
  for (const _ of range(10)) keys.push(await child(root));
  await insertChildren(db, 'busy', root, 3_000);
  const outcomes = new Set<string>();
  const changes = runConcurrently(8, range(80), async (i) => {
    const key = keys[i % keys.length] as IssuedKey;
    const { client } = i % 2 ? service : other;
    const options = { headers: sessionOf('busy'), body: { name: `changed ${i}` } };
    outcomes.add(outcomeOf(await client.call('PATCH', pathOf(key), options)));
  });
  expect((await cascade('busy', root)).status).toBe(200);
  await changes;
  await isOver('busy');
  expect([...outcomes].filter((outcome) => !['200', '404 key_not_found'].includes(outcome))).toEqual([]);
  expect(await liveOf('busy')).toBe(0);
});

it("lets other owners' keys be used during a cascade, including those with max_uses", async () => {
  const root = await issue('crowd');
  await insertChildren(db, 'crowd', root, onServer ? 20_000 : 3_000);
  const limited = await issue('bob', { ...powerlessBody, limits: { max_uses: 1_000_000 } });
  const used = async (delays: number[]) => {
    const began = performance.now();
    expect(await codeOf(service, limited)).toBe('VALID');
    delays.push(performance.now() - began);
  };
  const [alone, meanwhile]: [number[], number[]] = [[], []];
  for (const _ of range(100)) await used(alone);
  expect((await cascade('crowd', root)).status).toBe(200);
  while (meanwhile.length < 100 || (await underWay('crowd')) > 0) await used(meanwhile).then(() => sleep(5));
  const p99 = (delays: number[]) =>
    (delays.toSorted((a, b) => a - b)[Math.floor(delays.length * 0.99)] ?? 0).toFixed(1);
  process.stdout.write(`max_uses of another owner: p99 ${p99(alone)} ms alone, ${p99(meanwhile)} ms with a cascade\n`);
  expect(await liveOf('crowd')).toBe(0);
});

it('shuts down promptly during a cascade, and leaves the rest to the next process', async () => {
  const kept = await createTestDatabase();
  let doomed = await startService(sharedVariables, kept);
  const root = await issueKey(doomed.client, 'ann');
  await insertChildren(doomed.app.get(DataSource), 'ann', root, 6_000);
  const answer = doomed.client.delete(`${pathOf(root)}?cascade=true`, sessionOf('ann')).catch(() => undefined);
  const left = async () => {
    const live = `SELECT count(*)::int FROM api_keys WHERE owner_id = 'ann' AND revoked_at IS NULL`;
    return (await doomed.app.get(DataSource).query(live))[0].count as number;
  };
  await until(async () => (await left()) < 6_001, 'the cascade to begin');
  await doomed.stop();
  await answer;
  doomed = await startService(sharedVariables, kept);
  expect(await left()).toBeGreaterThan(0);
  await until(async () => (await left()) === 0, 'the rest to be written');
  await doomed.stop();
  await kept.drop();
});
