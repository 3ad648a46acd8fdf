import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createGuard, type Guard, GuardUnavailableError, type GuardVerdict } from '@w3ipfs/api-keys-guard';
import { range, runConcurrently } from './support/at-once.js';
import { onServer } from './support/database.js';
import { makeFolder, removeFolder } from './support/folders.js';
import { issueKey, type IssuedKey, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceHeaders, serviceVariables, verify } from './support/verification.js';

const TOKEN = serviceHeaders.authorization.replace('Bearer ', '');
const KEYS = 1_000;

const service = useService(serviceVariables);

let guard: Guard;
beforeAll(async () => {
  guard = createGuard({ url: service.client.url, token: TOKEN });
  await until(() => guard.state === 'fresh', 'the guard to be fresh');
});
afterAll(() => guard.close());

const pairOf = ({ api_key: apiKey, secret_key: secretKey }: IssuedKey) => ({ apiKey, secretKey });
const check = async (key: IssuedKey): Promise<GuardVerdict> => guard.check(pairOf(key));
const issue = (limits: object = {}) => issueKey(service.client, 'ann', { ...powerlessBody, limits });
const shown = async ({ id }: IssuedKey) =>
  (await service.client.get(`/api/apiKeys/${id}`, sessionOf('ann'))).body.data as { uses: number };
const usedToday = async ({ id }: IssuedKey): Promise<number> => {
  const { body } = await service.client.get(`/api/apiKeys/${id}/usage`, sessionOf('ann'));
  return body.data.days.reduce((sum: number, { verified }: { verified: number }) => sum + verified, 0);
};

/** @returns how many calls were valid, and how many a busy machine left without an answer: these may have been charged */
async function callBothWays(key: IssuedKey, calls: number): Promise<{ valid: number; unknown: number }> {
  const codes: string[] = [];
  await runConcurrently(16, range(calls), async (call) => {
    const verdict = call % 2 === 0 ? await checked(key) : (await verify(service.client, key)).body.data;
    codes.push(verdict.code);
  });
  const count = (sought: string) => codes.filter((code) => code === sought).length;
  return { valid: count('VALID'), unknown: count('UNAVAILABLE') };
}

async function checked(key: IssuedKey): Promise<{ code: string }> {
  try {
    return await check(key);
  } catch (error) {
    if (error instanceof GuardUnavailableError) return { code: 'UNAVAILABLE' };
    throw error;
  }
}

it('grants a limited number of uses exactly, when half of the calls come through a guard', async () => {
  const key = await issue({ max_uses: 100 });
  const { valid, unknown } = await callBothWays(key, 300);
  expect(valid).toBeLessThanOrEqual(100);
  expect(valid + unknown).toBeGreaterThanOrEqual(100);
  expect((await check(key)).code).toBe('USAGE_EXCEEDED');
});

it('limits a rate exactly, when half of the calls come through a guard', async () => {
  const key = await issue({ rate_limit: { requests: 50, window_seconds: 3_600 } });
  const { valid, unknown } = await callBothWays(key, 200);
  expect(valid).toBeLessThanOrEqual(50);
  expect(valid + unknown).toBeGreaterThanOrEqual(50);
  expect((await check(key)).code).toBe('RATE_LIMITED');
});

it('counts what a guard decided before a key got max_uses against them', async () => {
  const key = await issue();
  await until(async () => (await check(key)).source === 'local', 'the guard to decide by itself');
  const before = 1 + guard.stats().decided.local;
  for (const _ of range(39)) await check(key);
  expect(guard.stats().decided.local - before).toBe(38);
  const body = { limits: { max_uses: 100 } };
  const { status } = await service.client.call('PATCH', `/api/apiKeys/${key.id}`, { headers: sessionOf('ann'), body });
  expect(status).toBe(200);
  const usedBefore = (await shown(key)).uses;
  expect(usedBefore).toBeGreaterThanOrEqual(40);
  let granted = 0;
  while ((await check(key)).valid) granted++;
  expect(usedBefore + granted).toBe(100);
});

it('counts in the usage of a day what a guard decided', async () => {
  const key = await issue();
  let valid = 0;
  await until(async () => {
    const { code, source } = await check(key);
    if (code === 'VALID') valid++;
    return source === 'local' && valid >= 200;
  }, 'two hundred verdicts');
  await until(async () => (await usedToday(key)) === valid, 'all of them to be counted');
});

// Issuing them takes long on the embedded database; `guard-process.spec.ts` searches a guard of a modelled service
(onServer ? it : it.skip)('holds no secret, no hash and no list of keys, after it has served 1,000 keys', async () => {
  const keys: IssuedKey[] = [];
  await runConcurrently(4, range(KEYS), async () => void keys.push(await issue()));
  const folder = makeFolder();
  try {
    const file = join(folder, 'guard.heapsnapshot');
    const given = JSON.stringify(keys.map(({ api_key, secret_key }) => ({ api_key, secret_key })));
    const program = promisify(execFile)(process.execPath, ['test/support/guard-snapshot.js'], {
      env: { PATH: process.env['PATH'], GUARD_URL: service.client.url, GUARD_TOKEN: TOKEN, SNAPSHOT: file },
    });
    program.child.stdin?.end(given);
    expect((await program).stdout).toBe(`${KEYS} local\n`);
    const snapshot = readFileSync(file, 'latin1');
    // What has to be there: otherwise the search would prove nothing
    expect(keys.filter(({ id }) => snapshot.includes(id))).toHaveLength(KEYS);
    const forms = ({ api_key: apiKey, secret_key: secretKey }: IssuedKey) => [
      apiKey,
      secretKey,
      secretKey.slice(4),
      Buffer.from(secretKey).toString('base64').slice(0, -4),
      Buffer.from(secretKey).toString('hex'),
    ];
    expect(keys.flatMap(forms).filter((text) => snapshot.includes(text))).toEqual([]);
    expect(snapshot.includes('$argon2id$')).toBe(false);
  } finally {
    removeFolder(folder);
  }
});
