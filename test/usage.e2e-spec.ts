import { DataSource } from 'typeorm';
import { UsageLimiter } from '../src/usage/usage-limiter.js';
import { UsageStatistics } from '../src/usage/usage-statistics.js';
import { outcomeOf, pathsOf } from './support/answers.js';
import { TestClock } from './support/clock.js';
import { createTestDatabase } from './support/database.js';
import { issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { startService, useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceVariables, verify } from './support/verification.js';

const DAY_MS = 86_400_000;
/** Shortly before the end of a day. */
const EVENING = Math.ceil(Date.now() / DAY_MS) * DAY_MS - 10;
const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);

const clock = new TestClock(EVENING);
const service = useService(serviceVariables, clock);
beforeEach(() => {
  clock.time = EVENING;
});

interface Day {
  day: string;
  verified: number;
  denied: Record<string, number>;
}

const usage = (key: IssuedKey, query = '', owner = 'ann') =>
  service.client.get(`/api/apiKeys/${key.id}/usage?${query}`, sessionOf(owner));
const daysOf = async (key: IssuedKey, query = ''): Promise<Day[]> => (await usage(key, query)).body.data.days;
const shown = async (key: IssuedKey) =>
  (await service.client.get(`/api/apiKeys/${key.id}`, sessionOf('ann'))).body.data;

async function use(key: IssuedKey, codes: string[], need: object = {}): Promise<void> {
  for (const code of codes) expect((await verify(service.client, key, need)).body.data.code).toBe(code);
}

const counted = (days: Day[]) =>
  days.reduce((sum, { verified, denied }) => sum + verified + Object.values(denied).reduce((a, b) => a + b, 0), 0);

it('counts verifications and denials by code and day', async () => {
  const body = { ...powerlessBody, limits: { rate_limit: { requests: 3, window_seconds: 60 } } };
  const key = await issueKey(service.client, 'ann', body);
  await use(key, ['VALID', 'VALID']);
  await use(key, ['INSUFFICIENT_SCOPE'], { scope: 'admin' });
  await use({ ...key, secret_key: `w3s_${'a'.repeat(40)}` }, ['INVALID_CREDENTIALS']);
  clock.time += 10;
  await use(key, ['VALID', 'RATE_LIMITED', 'RATE_LIMITED']);
  await until(async () => counted(await daysOf(key)) === 6, 'the statistics');
  const today = { day: dayOf(EVENING + 10), verified: 1, denied: { RATE_LIMITED: 2 } };
  const yesterday = { day: dayOf(EVENING), verified: 2, denied: { INSUFFICIENT_SCOPE: 1 } };
  expect(await daysOf(key)).toEqual([today, yesterday]);
  expect(await daysOf(key, 'days=2')).toEqual([today, yesterday]);
  expect(await daysOf(key, 'days=1')).toEqual([today]);
  clock.time += DAY_MS;
  expect(await daysOf(key, 'days=1')).toEqual([]);
  expect(await daysOf(key, 'days=2')).toEqual([today]);
});

it('adds to existing counts, even for a key that is always refused', async () => {
  const key = await issueKey(service.client, 'ann', { ...powerlessBody, limits: { max_uses: 2 } });
  await use(key, ['VALID']);
  await until(async () => counted(await daysOf(key)) === 1, 'the statistics');
  await use(key, ['VALID', 'USAGE_EXCEEDED']);
  await service.client.delete(`/api/apiKeys/${key.id}`, sessionOf('ann'));
  await use(key, ['REVOKED']);
  await until(async () => counted(await daysOf(key)) === 4, 'the statistics');
  expect(await daysOf(key)).toEqual([{ day: dayOf(EVENING), verified: 2, denied: { USAGE_EXCEEDED: 1, REVOKED: 1 } }]);
});

it('counts each call that an admin key makes to this service once', async () => {
  const key = await issueKey(service.client, 'ann');
  for (let call = 0; call < 3; call++) await service.client.get('/api/apiKeys/list', pairHeaders(key));
  await until(async () => (await shown(key)).uses === 3, 'the uses');
  await until(async () => counted(await daysOf(key)) === 3, 'the statistics');
  expect(await daysOf(key)).toEqual([{ day: dayOf(EVENING), verified: 3, denied: {} }]);
});

it.each([
  ['without limits', {}],
  ['with limited uses', { max_uses: 9 }],
])('shows when a key %s was last used, ignoring refusals', async (_, limits) => {
  const key = await issueKey(service.client, 'ann', { ...powerlessBody, limits });
  expect(await shown(key)).toMatchObject({ uses: 0, last_used_at: null });
  await use(key, ['INSUFFICIENT_SCOPE'], { scope: 'admin' });
  clock.time += 1_000;
  await use(key, ['VALID']);
  const usedAt = new Date(clock.time).toISOString();
  clock.time += 1_000;
  await use(key, ['INSUFFICIENT_SCOPE'], { scope: 'admin' });
  await until(async () => counted(await daysOf(key)) === 3, 'the statistics');
  await until(async () => (await shown(key)).uses === 1, 'the uses');
  expect(await shown(key)).toMatchObject({ uses: 1, last_used_at: usedAt });
});

it('is written later with its original time if it cannot be written now', async () => {
  const key = await issueKey(service.client, 'ann', powerlessBody);
  const statistics = [UsageLimiter, UsageStatistics].map((one) =>
    service.app.get<UsageLimiter>(one, { strict: false }),
  );
  const flush = () => Promise.all(statistics.map((one) => one.flush()));
  const { id } = key;
  const query = (statement: string) => service.app.get(DataSource).query(statement);
  await query(`ALTER TABLE usage_days ADD CONSTRAINT away CHECK (api_key_id <> '${id}') NOT VALID`);
  await query(`ALTER TABLE api_keys ADD CONSTRAINT away CHECK (id <> '${id}' OR uses = 0) NOT VALID`);
  await use(key, ['VALID', 'VALID']);
  const usedAt = new Date(clock.time).toISOString();
  await flush();
  clock.time += 60_000;
  await flush();
  expect(await shown(key)).toMatchObject({ uses: 0, last_used_at: null });
  for (const table of ['usage_days', 'api_keys']) await query(`ALTER TABLE ${table} DROP CONSTRAINT away`);
  await until(async () => flush().then(async () => (await shown(key)).uses === 2), 'the uses');
  expect(await shown(key)).toMatchObject({ uses: 2, last_used_at: usedAt });
  await until(async () => counted(await daysOf(key)) === 2, 'the statistics');
  expect(await daysOf(key)).toEqual([{ day: dayOf(EVENING), verified: 2, denied: {} }]);
});

it('is visible only to the owner, including that of a revoked key', async () => {
  const key = await issueKey(service.client, 'ann', powerlessBody);
  expect((await usage(key)).body).toEqual({ data: { days: [] }, status: 'success' });
  expect(outcomeOf(await usage(key, '', 'bob'))).toBe('404 key_not_found');
  const unknown = { ...key, id: '01a20b9d-c4d9-7123-b878-6eb9911deb3f' };
  expect(outcomeOf(await usage(unknown))).toBe('404 key_not_found');
  await service.client.delete(`/api/apiKeys/${key.id}`, sessionOf('ann'));
  expect((await usage(key)).status).toBe(200);
});

it('accepts 1 to 366 days', async () => {
  const key = await issueKey(service.client, 'ann', powerlessBody);
  for (const days of ['1', '366']) expect((await usage(key, `days=${days}`)).status).toBe(200);
  for (const days of ['0', '367', '-1', '1.5', 'all', '']) {
    const answer = await usage(key, `days=${days}`);
    expect([days, outcomeOf(answer)]).toEqual([days, '400 validation_failed']);
    expect(pathsOf(answer)).toEqual(['days']);
  }
});

it('loses no counts when the service stops', async () => {
  const database = await createTestDatabase();
  const first = await startService(serviceVariables, database, clock);
  const key = await issueKey(first.client, 'ann', powerlessBody);
  for (let time = 0; time < 5; time++) expect((await verify(first.client, key)).body.data.code).toBe('VALID');
  await first.stop();
  const second = await startService(serviceVariables, database, clock);
  const { days } = (await second.client.get(`/api/apiKeys/${key.id}/usage`, sessionOf('ann'))).body.data;
  expect(days).toEqual([{ day: dayOf(EVENING), verified: 5, denied: {} }]);
  const { data } = (await second.client.get(`/api/apiKeys/${key.id}`, sessionOf('ann'))).body;
  expect(data).toMatchObject({ uses: 5, last_used_at: new Date(EVENING).toISOString() });
  await second.stop();
  await database.drop();
});
