import pg from 'pg';
import { createTestDatabase, onServer, type TestDatabase } from '../support/database.js';
import { moveBelow, insertChain, insertChildren } from '../support/key-rows.js';
import { documentedBody, issued, type IssuedKey, issueKey, pairHeaders } from '../support/keys.js';
import { type ServiceProcess, sharedVariables, startProcess } from '../support/process.js';
import { sessionOf } from '../support/sessions.js';
import { until } from '../support/until.js';
import { verify } from '../support/verification.js';

const CHILDREN = 10_000;

// The embedded database allows only one process
(onServer ? describe : describe.skip)('a cascade whose process is killed', () => {
  let database: TestDatabase;
  let connection: pg.Client;
  /** Runs a query like `DataSource`. */
  const db = { query: async (text: string, values?: unknown[]) => (await connection.query(text, values)).rows };
  const start = () => startProcess({ ...sharedVariables, ...database.variables });
  beforeAll(async () => {
    database = await createTestDatabase();
    connection = new pg.Client({ connectionString: database.variables.DATABASE_URL as string });
    await connection.connect();
  });
  afterAll(async () => {
    await connection.end();
    await database.drop();
  });

  const codeOf = async ({ client }: ServiceProcess, key: IssuedKey) => (await verify(client, key)).body.data?.code;
  const live = async (owner: string) =>
    Number(
      (await db.query('SELECT count(*) FROM api_keys WHERE owner_id = $1 AND revoked_at IS NULL', [owner]))[0].count,
    );

  /** A root with thousands of children, and a deep descendant that the process has cached. */
  async function grow({ client }: ServiceProcess, owner: string): Promise<[root: IssuedKey, leaf: IssuedKey]> {
    const root = await issueKey(client, owner);
    const leaf = issued(await client.post('/api/apiKeys', pairHeaders(root), documentedBody));
    await moveBelow(db as never, leaf, await insertChain(db as never, owner, root, 200));
    await insertChildren(db as never, owner, root, CHILDREN);
    return [root, leaf];
  }

  /** Deletes the root, and kills the process once some of the rows are written. */
  async function killInTheMiddle(service: ServiceProcess, owner: string, root: IssuedKey): Promise<number> {
    const all = await live(owner);
    const answer = service.client
      .delete(`/api/apiKeys/${root.id}?cascade=true`, sessionOf(owner))
      .catch(() => undefined);
    await until(async () => (await live(owner)) < all - 1_000, 'the cascade to be under way');
    expect(await service.stop('SIGKILL')).toBe('SIGKILL');
    await answer;
    const left = await live(owner);
    expect(left).toBeGreaterThan(0);
    return left;
  }

  it('is finished by another one, which refuses the descendants in the meantime', async () => {
    const [doomed, other] = await Promise.all([start(), start()]);
    const [root, leaf] = await grow(doomed, 'ann');
    expect(await codeOf(other, leaf)).toBe('VALID');
    const left = await killInTheMiddle(doomed, 'ann', root);
    await until(async () => (await codeOf(other, leaf)) === 'REVOKED', 'the other process to know');
    process.stdout.write(`Killed with ${left} of ${CHILDREN + 202} rows to be written\n`);
    while ((await live('ann')) > 0) expect(await codeOf(other, leaf)).toBe('REVOKED');
    const { total } = (await other.client.get('/api/apiKeys/list', sessionOf('ann'))).body.data;
    expect([await codeOf(other, leaf), total]).toEqual(['REVOKED', 0]);
    const revoked = "SELECT count(*)::int FROM audit_events WHERE owner_id = 'ann' AND action = 'key.revoked'";
    expect((await db.query(revoked))[0].count).toBe(CHILDREN + 202);
    await other.stop();
  });

  it('is finished by the next that starts, if there was no other', async () => {
    const doomed = await start();
    const [root, leaf] = await grow(doomed, 'bob');
    await killInTheMiddle(doomed, 'bob', root);
    const next = await start();
    expect(await codeOf(next, leaf)).toBe('REVOKED');
    await until(async () => (await live('bob')) === 0, 'the rows to be written');
    expect(await db.query('SELECT FROM cascades')).toEqual([]);
    expect(await codeOf(next, leaf)).toBe('REVOKED');
    await next.stop();
  });
});

// The embedded database allows only one process
(onServer ? it : it.skip)('commits no change of a deleted key or its descendants after the deletion', async () => {
  const ROUNDS = 12;
  const database = await createTestDatabase();
  const variables = { ...sharedVariables, ...database.variables };
  const [first, second] = await Promise.all([startProcess(variables), startProcess(variables)]);
  const connection = new pg.Client({ connectionString: database.variables.DATABASE_URL as string });
  await connection.connect();
  let changes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const owner = `owner ${round}`;
    const stolen = await issueKey(first.client, owner);
    const child = issued(await first.client.post('/api/apiKeys', pairHeaders(stolen), documentedBody));
    const victim = await issueKey(first.client, owner);
    let isDeleted = false;
    let rotations = 0;
    const thieves = [stolen, child].flatMap((key) =>
      [first, second].map(async ({ client }) => {
        for (;;) {
          const wasDeleted = isDeleted;
          const { status } = await client.post(`/api/apiKeys/${victim.id}/rotate`, pairHeaders(key), {});
          // Requests after the answer are refused by the process that gave it
          if (wasDeleted && client === first.client) expect(status).toBe(401);
          if (status === 401) return;
          if (status === 200) rotations++;
        }
      }),
    );
    await until(() => rotations >= 4, 'rotations to be under way');
    const answer = await first.client.delete(`/api/apiKeys/${stolen.id}?cascade=true`, sessionOf(owner));
    isDeleted = true;
    expect(answer.status).toBe(200);
    await Promise.all(thieves);
    const { rows } = await connection.query(
      `SELECT action, actor, api_key_id FROM audit_events WHERE owner_id = $1 AND refusal IS NULL ORDER BY seq`,
      [owner],
    );
    const end = rows.findIndex(({ action, api_key_id: id }) => action === 'key.revoked' && id === stolen.id);
    const actors = new Set([stolen, child].map(({ id }) => `key:${id}`));
    expect(rows.slice(end + 1).filter(({ actor }) => actors.has(actor))).toEqual([]);
    changes += end;
  }
  process.stdout.write(`${ROUNDS} stolen keys deleted, ${changes} changes before, none after\n`);
  expect(changes).toBeGreaterThan(0);
  await connection.end();
  await Promise.all([first, second].map((service) => service.stop()));
  await database.drop();
});
