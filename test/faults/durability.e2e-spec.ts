import pg from 'pg';
import { runConcurrently, range } from '../support/at-once.js';
import { createTestDatabase, onServer, type TestDatabase } from '../support/database.js';
import { documentedBody, issued, type IssuedKey, issueKey, pairHeaders, powerlessBody } from '../support/keys.js';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { withRetry } from '../support/retry.js';
import { accountService, sessionOf } from '../support/sessions.js';
import { until } from '../support/until.js';

const KEYS = 1_000;
/** This many more are requested, and half of them answered, when it is killed. */
const MORE = 300;
const CALLERS = 32;

/** Commits that change keys wait for this advisory lock. */
const LOCK = 77;
const HOLD_COMMITS = `
  CREATE FUNCTION hold_commit() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared(${LOCK}); RETURN NULL; END';
  CREATE CONSTRAINT TRIGGER hold_commits AFTER INSERT OR UPDATE ON api_keys DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION hold_commit()`;
const WAITING = `
  SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

let database: TestDatabase;
let service: ServiceProcess;
const start = () => startProcess({ ...database.variables, JWT_PUBLIC_KEY: accountService.publicKey });

beforeAll(async () => {
  database = await createTestDatabase();
  service = await start();
});
afterAll(async () => {
  await service.stop('SIGKILL');
  await database.drop();
});

const keys: IssuedKey[] = [];

it(`issues ${KEYS} keys to ${CALLERS} concurrent callers: all distinct, none lost`, async () => {
  let refused = 0;
  await runConcurrently(CALLERS, range(KEYS), async (index) => {
    keys.push(issued(await withRetry(issueNamed(`key ${index}`), () => refused++)));
  });
  process.stdout.write(`${KEYS} keys issued to ${CALLERS} callers at once, ${refused} refused for the moment\n`);
  expect(new Set(keys.flatMap(({ id, api_key, secret_key }) => [id, api_key, secret_key])).size).toBe(3 * KEYS);
  expect((await listPage(0)).total).toBe(KEYS);
  expect(await lostOf(keys)).toEqual([]);
});

it('keeps every acknowledged key usable when it is killed in mid-run', async () => {
  let unanswered = 0;
  let refusedForNow = 0;
  let killed: Promise<unknown> | undefined;
  await runConcurrently(CALLERS, range(MORE), async (index) => {
    const answer = await withRetry(issueNamed(`more ${index}`), () => refusedForNow++).catch(() => undefined);
    if (answer) keys.push(issued(answer));
    else unanswered++;
    if (keys.length === KEYS + MORE / 2) killed ??= service.stop('SIGKILL');
  });
  expect(await killed).toBe('SIGKILL');
  expect(unanswered).toBeGreaterThan(0);

  service = await start();
  const lost = await lostOf(keys);
  const refused: IssuedKey[] = [];
  await runConcurrently(CALLERS, keys, async (key) => {
    const { status } = await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(key));
    if (status !== 200) refused.push(key);
  });
  const { total } = await listPage(0);
  process.stdout.write(
    `Killed while issuing: ${KEYS + MORE} keys asked for, ${keys.length} answered, ${unanswered} not answered, ` +
      `${refusedForNow} times refused for the moment, ${total} there, ${lost.length} lost, ${refused.length} refused\n`,
  );
  expect([lost, refused]).toEqual([[], []]);
  expect(total).toBeGreaterThanOrEqual(keys.length);
  expect(total).toBeLessThanOrEqual(KEYS + MORE);
});

(onServer ? it : it.skip)('acknowledges no change, and grants no use, before it is committed', async () => {
  const [client, postgres] = [service.client, new pg.Client(database.variables.DATABASE_URL)];
  await postgres.connect();
  // A separate owner for each: an owner's changes wait for each other
  const [rotated, changed, revoked] = await Promise.all(['ann', 'bob', 'cleo'].map((owner) => issueKey(client, owner)));
  const limited = await issueKey(client, 'dora', { ...documentedBody, limits: { max_uses: 10 } });
  await postgres.query(HOLD_COMMITS);
  await postgres.query('SELECT pg_advisory_lock($1)', [LOCK]);
  const path = (key: IssuedKey | undefined) => `/api/apiKeys/${key?.id}`;
  const answered: string[] = [];
  const calls = {
    issue: client.post('/api/apiKeys', sessionOf('emil'), documentedBody),
    rotate: client.post(`${path(rotated)}/rotate`, sessionOf('ann'), {}),
    change: client.call('PATCH', path(changed), { headers: sessionOf('bob'), body: { name: 'another' } }),
    revoke: client.delete(path(revoked), sessionOf('cleo')),
    use: client.get('/api/apiKeys/authorize?scope=admin', pairHeaders(limited)),
  };
  const all = Object.entries(calls).map(async ([name, call]) => {
    const { status } = await call;
    answered.push(name);
    return [name, status];
  });
  await until(async () => (await postgres.query(WAITING)).rowCount === all.length, 'all commits to wait');
  await client.get('/health/live');
  expect(answered).toEqual([]);
  await postgres.query('SELECT pg_advisory_unlock($1)', [LOCK]);
  expect(await Promise.all(all)).toEqual(Object.keys(calls).map((name) => [name, 200]));
  await postgres.query('DROP TRIGGER hold_commits ON api_keys');
  await postgres.end();
});

const issueNamed = (name: string) => () =>
  service.client.post('/api/apiKeys', sessionOf('crowd'), { ...powerlessBody, name });

async function listPage(offset: number): Promise<{ total: number; api_keys: IssuedKey[] }> {
  const answer = await service.client.get(`/api/apiKeys/list?limit=100&offset=${offset}`, sessionOf('crowd'));
  return answer.body.data;
}

/** The keys that are not listed. */
async function lostOf(acknowledged: IssuedKey[]): Promise<IssuedKey[]> {
  const listed = new Set<string>();
  for (let offset = 0; offset < KEYS + MORE; offset += 100) {
    for (const { id } of (await listPage(offset)).api_keys) listed.add(id);
  }
  return acknowledged.filter(({ id }) => !listed.has(id));
}
