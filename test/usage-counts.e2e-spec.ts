import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import pg from 'pg';
import { runConcurrently, range } from './support/at-once.js';
import { TestClock } from './support/clock.js';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { startProcess, sharedVariables } from './support/process.js';
import { type Proxy, startProxy } from './support/proxy.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceVariables, verify } from './support/verification.js';
import type { Client } from './support/client.js';

const HOUR = 3_600_000;

async function countsOf(client: Client, { id }: IssuedKey): Promise<[uses: number, lastUsedAt: string | null]> {
  const { uses, last_used_at } = (await client.get(`/api/apiKeys/${id}`, sessionOf('ann'))).body.data;
  return [uses, last_used_at];
}

/** Waits until this many uses are in the database. @returns the recorded time of the last one */
async function lastUseOf(client: Client, key: IssuedKey, uses: number): Promise<string | null> {
  await until(async () => (await countsOf(client, key))[0] >= uses, `${uses} uses to be written`);
  const [written, lastUsedAt] = await countsOf(client, key);
  expect(written).toBe(uses);
  return lastUsedAt;
}

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('a key without max_uses', () => {
  const clock = new TestClock(Date.now());
  const at = () => new Date(clock.time).toISOString();
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ ...serviceVariables, TRUSTED_PROXIES: '127.0.0.1' }, database, clock);
  });
  afterAll(() => service.stop());

  it('has its uses counted by cost wherever it is used, and refusals not at all', async () => {
    const limits = { rate_limit: { requests: 1_000, window_seconds: 60 }, allowed_cidrs: ['0.0.0.0/0'] };
    const key = await issueKey(service.client, 'ann', { name: 'counted', scopes: { admin: true }, limits });
    const from = { ...pairHeaders(key), 'x-forwarded-for': '203.0.113.7' };
    const ip = '203.0.113.7';
    expect(await countsOf(service.client, key)).toEqual([0, null]);
    await runConcurrently(8, range(100), async () => void (await verify(service.client, key, { ip })));
    await verify(service.client, key, { ip, cost: 20 });
    await service.client.get('/api/apiKeys/authorize?scope=admin', from);
    await service.client.get('/api/apiKeys/list', from);
    const lastUsedAt = at();
    clock.time += 1_000;
    await verify(service.client, key, { ip, cost: 0 });
    await verify(service.client, key, { ip, cost: 1_000 });
    await verify(service.client, key, { ip: '::1' });
    await service.client.get('/api/apiKeys/testAuthentication', from);
    expect(await lastUseOf(service.client, key, 122)).toBe(lastUsedAt);
    await verify(service.client, key, { ip });
    expect(await lastUseOf(service.client, key, 123)).toBe(at());
  });

  it('loses none that was counted before the service stopped', async () => {
    const key = await issueKey(service.client, 'ann', powerlessBody);
    const limited = await issueKey(service.client, 'ann', { ...powerlessBody, limits: { max_uses: 100 } });
    await runConcurrently(8, range(50), async () => void (await verify(service.client, key)));
    await verify(service.client, limited, { cost: 7 });
    await service.stop();
    service = await startService(serviceVariables, database, clock);
    expect(await countsOf(service.client, key)).toEqual([50, at()]);
    expect(await countsOf(service.client, limited)).toEqual([7, at()]);
  });
});

it('loses none when a signal stops the process', async () => {
  const variables = {
    ...sharedVariables,
    ...database.variables,
  };
  let service = await startProcess(variables);
  const key = await issueKey(service.client, 'ann', powerlessBody);
  await runConcurrently(8, range(50), async () => void (await verify(service.client, key)));
  expect(await service.stop('SIGTERM')).toBe(0);
  service = await startProcess(variables);
  expect((await countsOf(service.client, key))[0]).toBe(50);
  await service.stop();
});

// The embedded database is in the process and cannot become unavailable
(onServer ? describe : describe.skip)('a count that cannot be written immediately', () => {
  const clock = new TestClock(Date.now());
  const warnings: string[] = [];
  let holder: pg.Client;
  let proxy: Proxy;
  let service: TestService;
  beforeAll(async () => {
    holder = new pg.Client({ connectionString: database.variables.DATABASE_URL as string });
    await holder.connect();
    for (const level of ['warn', 'debug'] as const)
      jest.spyOn(Logger.prototype, level).mockImplementation((message: string) => void warnings.push(message));
    const url = new URL(database.variables.DATABASE_URL as string);
    proxy = await startProxy(url.hostname, Number(url.port || 5432));
    url.port = String(proxy.port);
    service = await startService({ ...serviceVariables, DATABASE_URL: url.href }, database, clock);
  });
  afterAll(async () => {
    await service.stop();
    await proxy.cut();
    await holder.end();
    jest.restoreAllMocks();
  });

  const failures = () => warnings.filter((message) => message.includes('could not be written yet')).length;

  it('is kept with its time while the database is unavailable', async () => {
    const [early, late] = [await issueKey(service.client, 'ann'), await issueKey(service.client, 'ann')];
    for (const key of [early, late]) await verify(service.client, key, { cost: 0 });
    await proxy.cut();
    for (const _ of range(3)) await verify(service.client, early);
    await verify(service.client, late);
    const usedAt = new Date(clock.time).toISOString();
    await until(() => failures() > 0, 'the uses to be kept');
    clock.time += HOUR;
    await verify(service.client, late);
    const failed = failures();
    await until(() => failures() > failed, 'the uses to be kept again');
    clock.time += HOUR;
    await proxy.mend();
    await until(async () => (await service.client.get('/health/ready')).status === 200, 'the database');
    expect(await lastUseOf(service.client, early, 3)).toBe(usedAt);
    expect(await lastUseOf(service.client, late, 2)).toBe(new Date(clock.time - HOUR).toISOString());
  });

  /** Locks a key's row. @returns releases it */
  async function hold({ id }: IssuedKey): Promise<() => Promise<void>> {
    await holder.query('BEGIN');
    await holder.query('SELECT FROM api_keys WHERE id = $1 FOR UPDATE', [id]);
    return async () => void (await holder.query('COMMIT'));
  }

  /** Locks the table, which no statement can skip. */
  async function holdAll(): Promise<() => Promise<void>> {
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE api_keys IN EXCLUSIVE MODE');
    return async () => void (await holder.query('COMMIT'));
  }

  async function isAwaited(): Promise<boolean> {
    const { rows } = await holder.query('SELECT FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))');
    return rows.length > 0;
  }

  it('is written once, even if its row was locked beyond the statement timeout', async () => {
    const key = await issueKey(service.client, 'ann');
    const release = await hold(key);
    const failed = failures();
    for (const _ of range(3)) await verify(service.client, key);
    await until(() => failures() > failed, 'the uses to be kept');
    await release();
    await verify(service.client, key);
    expect(await lastUseOf(service.client, key, 4)).not.toBeNull();
  });

  it('is not written again if the acknowledgement was lost', async () => {
    const key = await issueKey(service.client, 'ann');
    const release = await holdAll();
    await verify(service.client, key);
    await until(isAwaited, 'the uses to wait for their row');
    await proxy.cut();
    await until(
      () => warnings.some((message) => message.includes('not retrying, to avoid counting them twice')),
      'the cut to be seen',
    );
    await release();
    await proxy.mend();
    await until(async () => (await service.client.get('/health/ready')).status === 200, 'the database');
    const written = (await countsOf(service.client, key))[0];
    expect([0, 1]).toContain(written);
    await verify(service.client, key);
    await lastUseOf(service.client, key, written + 1);
  });

  it('is written before the service stops', async () => {
    const key = await issueKey(service.client, 'ann');
    const release = await holdAll();
    await verify(service.client, key);
    await until(isAwaited, 'the uses to wait for their row');
    let hasStopped = false;
    const stopped = service.stop().then(() => (hasStopped = true));
    await until(async () => hasStopped || (await isDeaf(service.client)), 'the service to be ending');
    await release();
    await stopped;
    service = await startService(serviceVariables, database, clock);
    expect((await countsOf(service.client, key))[0]).toBe(1);
  });
});

/** Whether the service has stopped accepting connections. */
async function isDeaf(client: Client): Promise<boolean> {
  return client.get('/health/live').then(
    () => false,
    () => true,
  );
}
