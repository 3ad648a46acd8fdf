import { setTimeout as sleep } from 'node:timers/promises';
import { createGuard } from '@w3ipfs/api-keys-guard';
import { runConcurrently, range } from './support/at-once.js';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { issueKey, type IssuedKey, powerlessBody } from './support/keys.js';
import { type ServiceProcess, sharedVariables, startProcess } from './support/process.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceToken, verify } from './support/verification.js';

let database: TestDatabase;
let services: ServiceProcess[];
beforeAll(async () => {
  database = await createTestDatabase();
  // The embedded database allows only one process
  const count = onServer ? 2 : 1;
  services = await Promise.all(range(count).map(() => startProcess({ ...sharedVariables, ...database.variables })));
});
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await database.drop();
});

const at = (index: number) => (services[index % services.length] as ServiceProcess).client;
const limit = async (key: IssuedKey, maxUses: number | null) => {
  const options = { headers: sessionOf('ann'), body: { limits: { max_uses: maxUses } } };
  expect((await at(0).call('PATCH', `/api/apiKeys/${key.id}`, options)).status).toBe(200);
};
const usesOf = async (key: IssuedKey) => (await at(0).get(`/api/apiKeys/${key.id}`, sessionOf('ann'))).body.data.uses;

/** Requests this many uses from each process. @returns how many are granted */
async function use(key: IssuedKey, times: number, need: object = {}): Promise<number> {
  let granted = 0;
  await runConcurrently(8, range(times), async (i) => {
    const { code } = (await verify(at(i), key, need)).body.data;
    expect(['VALID', 'USAGE_EXCEEDED']).toContain(code);
    if (code === 'VALID') granted++;
  });
  return granted;
}

it('counts against a new max_uses the uses that each process held in memory', async () => {
  const key = await issueKey(at(0), 'ann', powerlessBody);
  expect(await use(key, 200)).toBe(200);
  await limit(key, 400);
  expect(await use(key, 500)).toBe(200);
  expect(await usesOf(key)).toBe(400);
});

it('counts them by their cost', async () => {
  const key = await issueKey(at(0), 'ann', powerlessBody);
  expect(await use(key, 20, { cost: 10 })).toBe(20);
  await limit(key, 250);
  expect(await use(key, 20, { cost: 10 })).toBe(5);
});

it('counts the uses of a batch', async () => {
  const key = await issueKey(at(0), 'ann', powerlessBody);
  const { api_key, secret_key } = key;
  const requests = range(50).map(() => ({ api_key, secret_key }));
  const headers = { authorization: `Bearer ${'o'.repeat(32)}` };
  for (const i of range(2)) {
    const { body } = await at(i).post('/api/apiKeys/verify/batch', headers, { requests });
    expect(body.data.verdicts.filter(({ valid }: { valid: boolean }) => valid)).toHaveLength(50);
  }
  await limit(key, 130);
  expect(await use(key, 60)).toBe(30);
});

it('grants none if more were used than the new limit allows', async () => {
  const key = await issueKey(at(0), 'ann', powerlessBody);
  expect(await use(key, 300)).toBe(300);
  await limit(key, 100);
  expect(await use(key, 20)).toBe(0);
  expect(await usesOf(key)).toBe(300);
});

it('never grants more in total during continuous use', async () => {
  const key = await issueKey(at(0), 'ann', powerlessBody);
  const outcomes = { VALID: 0, USAGE_EXCEEDED: 0 };
  const asking = runConcurrently(8, range(8), async (i) => {
    while (outcomes.USAGE_EXCEEDED < 50) {
      const { code } = (await verify(at(i), key)).body.data as { code: keyof typeof outcomes };
      outcomes[code]++;
    }
  });
  // Uses granted until then count; this many more are allowed
  await use(key, 200);
  const most = outcomes.VALID + 200 + 3_000;
  await limit(key, most);
  await asking;
  expect(outcomes.VALID + 200).toBeLessThanOrEqual(most);
  expect(await usesOf(key)).toBe(most);
});

it('does so again if the limit was removed in between', async () => {
  const key = await issueKey(at(0), 'ann', { ...powerlessBody, limits: { max_uses: 10 } });
  expect(await use(key, 5)).toBe(5);
  await limit(key, null);
  expect(await use(key, 50)).toBe(50);
  await limit(key, 60);
  expect(await use(key, 20)).toBe(5);
});

const [LOCAL, MOST] = [500, 2_500];

it('counts what a guard has decided, whichever process it asks', async () => {
  const guard = createGuard({ url: at(1).url, token: serviceToken });
  const key = await issueKey(at(0), 'ann', powerlessBody);
  const pair = { apiKey: key.api_key, secretKey: key.secret_key };
  let granted = 0;
  const check = async () => {
    const { valid, source } = await guard.check(pair);
    if (valid) granted++;
    return source;
  };
  await until(async () => (await check()) === 'local', 'the guard to decide by itself');
  // Reported within a second, and written within another
  for (const _ of range(LOCAL)) await check();
  const limited = new AbortController();
  const limiting = limit(key, MOST).finally(() => limited.abort());
  while (!limited.signal.aborted) await Promise.all([check(), check(), sleep(10)]);
  await limiting;
  expect(granted).toBeLessThan(MOST);
  await runConcurrently(8, range(MOST), async () => void (await check()));
  expect([granted, await usesOf(key)]).toEqual([MOST, MOST]);
  await guard.close();
});
