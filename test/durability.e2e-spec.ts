import { atOnce, range } from './support/at-once.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { issued, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { type ServiceProcess, startProcess } from './support/process.js';
import { accountService, sessionOf } from './support/sessions.js';

const KEYS = 1_000;
const CALLERS = 32;

let database: TestDatabase;
let service: ServiceProcess;
const start = () => startProcess({ ...database.variables, JWT_PUBLIC_KEY: accountService.publicKey });

beforeEach(async () => {
  database = await createTestDatabase();
  service = await start();
});
afterEach(async () => {
  await service.stop();
  await database.drop();
});

it(`issues ${KEYS} keys to ${CALLERS} callers at once: all distinct, all usable, none lost`, async () => {
  const keys: IssuedKey[] = [];
  await atOnce(CALLERS, range(KEYS), async (index) => {
    keys.push(issued(await issue(`key ${index}`)));
  });
  expect(new Set(keys.flatMap(({ id, api_key, secret_key }) => [id, api_key, secret_key])).size).toBe(3 * KEYS);
  await expectAllThere(keys);
  expect((await listPage(0)).total).toBe(KEYS);
});

it('keeps every key that was acknowledged when it is killed in mid-run', async () => {
  const keys: IssuedKey[] = [];
  let unanswered = 0;
  let killed: Promise<unknown> | undefined;
  await atOnce(CALLERS, range(KEYS), async (index) => {
    try {
      keys.push(issued(await issue(`key ${index}`)));
    } catch {
      unanswered++;
    }
    if (keys.length === KEYS / 2) killed ??= service.stop('SIGKILL');
  });
  expect(await killed).toBe('SIGKILL');
  expect(unanswered).toBeGreaterThan(0);

  service = await start();
  await expectAllThere(keys);
  const { total } = await listPage(0);
  expect(total).toBeGreaterThanOrEqual(keys.length);
  expect(total).toBeLessThanOrEqual(KEYS);
});

const issue = (name: string) => service.client.post('/api/apiKeys', sessionOf('crowd'), { ...powerlessBody, name });

async function listPage(offset: number): Promise<{ total: number; api_keys: IssuedKey[] }> {
  const answer = await service.client.get(`/api/apiKeys/list?limit=100&offset=${offset}`, sessionOf('crowd'));
  return answer.body.data;
}

async function expectAllThere(keys: IssuedKey[]): Promise<void> {
  const listed = new Set<string>();
  for (let offset = 0; offset < KEYS; offset += 100) {
    for (const { id } of (await listPage(offset)).api_keys) listed.add(id);
  }
  expect(keys.filter(({ id }) => !listed.has(id))).toEqual([]);

  const refused: IssuedKey[] = [];
  await atOnce(CALLERS, keys, async (key) => {
    const { status } = await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(key));
    if (status !== 200) refused.push(key);
  });
  expect(refused).toEqual([]);
}
