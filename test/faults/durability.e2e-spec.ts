import { atOnce, range } from '../support/at-once.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { issued, type IssuedKey, pairHeaders, powerlessBody } from '../support/keys.js';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { retried } from '../support/retry.js';
import { accountService, sessionOf } from '../support/sessions.js';

const KEYS = 1_000;
/** So many more are asked for, and half of them answered, when it is killed. */
const MORE = 300;
const CALLERS = 32;

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

it(`issues ${KEYS} keys to ${CALLERS} callers at once: all distinct, none lost`, async () => {
  let refused = 0;
  await atOnce(CALLERS, range(KEYS), async (index) => {
    keys.push(issued(await retried(issueNamed(`key ${index}`), () => refused++)));
  });
  process.stdout.write(`${KEYS} keys issued to ${CALLERS} callers at once, ${refused} refused for the moment\n`);
  expect(new Set(keys.flatMap(({ id, api_key, secret_key }) => [id, api_key, secret_key])).size).toBe(3 * KEYS);
  expect((await listPage(0)).total).toBe(KEYS);
  expect(await lostOf(keys)).toEqual([]);
});

it('keeps every key that was acknowledged, usable, when it is killed in mid-run', async () => {
  let unanswered = 0;
  let refusedForNow = 0;
  let killed: Promise<unknown> | undefined;
  await atOnce(CALLERS, range(MORE), async (index) => {
    const answer = await retried(issueNamed(`more ${index}`), () => refusedForNow++).catch(() => undefined);
    if (answer) keys.push(issued(answer));
    else unanswered++;
    if (keys.length === KEYS + MORE / 2) killed ??= service.stop('SIGKILL');
  });
  expect(await killed).toBe('SIGKILL');
  expect(unanswered).toBeGreaterThan(0);

  service = await start();
  const lost = await lostOf(keys);
  const refused: IssuedKey[] = [];
  await atOnce(CALLERS, keys, async (key) => {
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

const issueNamed = (name: string) => () =>
  service.client.post('/api/apiKeys', sessionOf('crowd'), { ...powerlessBody, name });

async function listPage(offset: number): Promise<{ total: number; api_keys: IssuedKey[] }> {
  const answer = await service.client.get(`/api/apiKeys/list?limit=100&offset=${offset}`, sessionOf('crowd'));
  return answer.body.data;
}

/** Those that are not listed. */
async function lostOf(acknowledged: IssuedKey[]): Promise<IssuedKey[]> {
  const listed = new Set<string>();
  for (let offset = 0; offset < KEYS + MORE; offset += 100) {
    for (const { id } of (await listPage(offset)).api_keys) listed.add(id);
  }
  return acknowledged.filter(({ id }) => !listed.has(id));
}
