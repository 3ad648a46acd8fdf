import pg from 'pg';
import { DataSource } from 'typeorm';
import { UsageLimiter } from '../src/usage/usage-limiter.js';
import type { Answer } from './support/client.js';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { documentedBody, issued, issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { pairOf, serviceHeaders, serviceVariables, verify } from './support/verification.js';

const limits = { max_uses: 1_000 };
const pathOf = ({ id }: IssuedKey) => `/api/apiKeys/${id}`;

let database: TestDatabase;
let service: TestService;
beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService(serviceVariables, database);
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});

// The embedded database has only one session, which cannot wait for its own locks
(onServer ? describe : describe.skip)('a verdict that had to wait', () => {
  let locker: pg.Client;
  beforeAll(async () => {
    locker = new pg.Client({ connectionString: database.variables.DATABASE_URL as string });
    await locker.connect();
  });
  afterAll(() => locker.end());

  it.each<[string, (key: IssuedKey) => Promise<Answer>, string]>([
    ['deleted', (key) => service.client.delete(pathOf(key), sessionOf('ann')), 'REVOKED'],
    ['disabled', (key) => change(key, { enabled: false }), 'DISABLED'],
    ['rotated', (key) => service.client.post(`${pathOf(key)}/rotate`, sessionOf('ann'), {}), 'INVALID_CREDENTIALS'],
  ])('in a batch is a refusal if its key was %s before the batch is answered', async (_, act, code) => {
    const [doomed, slow] = [await issueKey(service.client, 'ann', powerlessBody), await issueLimited('ann')];
    for (const key of [doomed, slow]) await verify(service.client, key);
    let batch: Promise<Answer> | undefined;
    await whileLocked(slow, async () => {
      batch = service.client.post('/api/apiKeys/verify/batch', serviceHeaders, {
        requests: [pairOf(doomed), pairOf(slow)],
      });
      await until(() => waitingUses() > 0, 'a use to wait');
      expect((await act(doomed)).status).toBe(200);
    });
    const codes = (await batch)?.body.data.verdicts.map((verdict: { code: string }) => verdict.code);
    expect(codes).toEqual([code, 'VALID']);
  });

  it('for its use is a refusal if an ancestor was deleted with cascade', async () => {
    const root = await issueKey(service.client, 'ann', documentedBody);
    const child = issued(await service.client.post('/api/apiKeys', pairHeaders(root), { ...powerlessBody, limits }));
    await verify(service.client, child);
    let answer: Promise<Answer> | undefined;
    await whileLocked(child, async () => {
      answer = verify(service.client, child);
      await until(() => waitingUses() > 0, 'a use to wait');
      expect((await service.client.delete(`${pathOf(root)}?cascade=true`, sessionOf('ann'))).status).toBe(200);
    });
    expect((await answer)?.body.data.code).toBe('REVOKED');
  });

  /** Blocks writes of the key's uses while `act` runs. */
  async function whileLocked(key: IssuedKey, work: () => Promise<void>): Promise<void> {
    await locker.query('BEGIN');
    await locker.query('SELECT FROM api_keys WHERE id = $1 FOR UPDATE', [key.id]);
    try {
      await work();
    } finally {
      await locker.query('ROLLBACK');
    }
  }
});

it('revokes keys even if the audit head of their owner is lost or set back, which the check reports', async () => {
  const sql = service.app.get(DataSource);
  const keys = [];
  for (let count = 0; count < 4; count++) keys.push(await issueKey(service.client, 'bob', powerlessBody));
  await sql.query(`UPDATE owners SET audit_seq = 2 WHERE owner_id = 'bob'`);
  expect((await service.client.delete(pathOf(keys[0] as IssuedKey), sessionOf('bob'))).status).toBe(200);
  await sql.query(`DELETE FROM owners WHERE owner_id = 'bob'`);
  const leaked = pairOf(keys[1] as IssuedKey);
  expect((await service.client.post('/api/apiKeys/report-leak', {}, leaked)).status).toBe(200);
  for (const key of keys.slice(0, 2)) expect((await verify(service.client, key)).body.data.code).toBe('REVOKED');
});

const waitingUses = () => service.app.get(UsageLimiter, { strict: false }).waitingCount;

function change(key: IssuedKey, body: object): Promise<Answer> {
  return service.client.call('PATCH', pathOf(key), { headers: sessionOf('ann'), body });
}

function issueLimited(owner: string): Promise<IssuedKey> {
  return issueKey(service.client, owner, { ...powerlessBody, limits });
}
