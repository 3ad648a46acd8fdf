import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { createTestDatabase, onServer, type TestDatabase } from '../support/database.js';
import { issueKey, type IssuedKey, pairHeaders, powerlessBody } from '../support/keys.js';
import { type Proxy, startProxy } from '../support/proxy.js';
import { startService, type TestService } from '../support/service.js';
import { sessionOf } from '../support/sessions.js';
import { until } from '../support/until.js';

const STALE_SECONDS = 2;

// The embedded database is in the process and cannot become unavailable
(onServer ? describe : describe.skip)('while the database is unavailable', () => {
  let database: TestDatabase;
  let proxy: Proxy;
  let service: TestService;
  let key: IssuedKey;

  beforeAll(async () => {
    database = await createTestDatabase();
    const url = new URL(database.variables.DATABASE_URL as string);
    proxy = await startProxy(url.hostname, Number(url.port || 5432));
    url.port = String(proxy.port);
    service = await startService({ DATABASE_URL: url.href, STALE_IF_ERROR_SECONDS: String(STALE_SECONDS) }, database);
    key = await issueKey(service.client, 'ann');
  });
  afterAll(async () => {
    await service.stop();
    await proxy.cut();
    await database.drop();
  });

  it('answers 503 with Retry-After, never a wrong verdict, and recovers by itself', async () => {
    const lines: string[] = [];
    for (const level of ['error', 'warn', 'log'] as const)
      jest.spyOn(Logger.prototype, level).mockImplementation((message: string) => void lines.push(message));
    await proxy.cut();
    const answers = [
      await service.client.post('/api/apiKeys', sessionOf('ann'), powerlessBody),
      await service.client.get('/api/apiKeys/list', sessionOf('ann')),
      await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(key)),
      await service.client.get('/health/ready'),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(503);
      expect(answer.body.error.code).toBe('unavailable');
      expect(answer.headers['retry-after']).toMatch(/^\d+$/);
    }
    expect((await service.client.get('/health/live')).status).toBe(200);
    const missing = async () => JSON.stringify((await service.client.get('/health/ready')).body.error?.details ?? []);
    await until(async () => (await missing()).includes('change_feed'), 'the change feed to notice');

    await proxy.mend();
    await until(async () => (await service.client.get('/health/ready')).status === 200, 'the service to be ready');
    expect((await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(key))).status).toBe(200);
    jest.restoreAllMocks();
    // In addition to those of the requests themselves
    const outage = lines.filter((line) => !/^(?:GET|POST) /.test(line));
    expect(outage).toEqual([
      expect.stringMatching(/^The database is unavailable \(.+\)\./),
      expect.stringMatching(/^The database is available again\. The outage lasted \d+ s, with \d+ failed attempts\.$/),
    ]);
  });

  it('verifies cached keys for the configured time, and no others', async () => {
    const unknown = await issueKey(service.client, 'ann', powerlessBody);
    expect(await statusOf(key)).toBe(200);
    await proxy.cut();
    const cutAt = performance.now();
    expect(await statusOf(unknown)).toBe(503);
    while ((await statusOf(key)) === 200) expect(await statusOf(unknown)).toBe(503);
    const trustedSeconds = (performance.now() - cutAt) / 1000;

    expect(await statusOf(key)).toBe(503);
    expect(trustedSeconds).toBeGreaterThan(STALE_SECONDS - 1);
    expect(trustedSeconds).toBeLessThan(STALE_SECONDS + 2);
    await proxy.mend();
    while ((await statusOf(key)) !== 200);
    expect(await statusOf(unknown)).toBe(200);
  });

  it('revalidates cached keys when it cannot read the changes, although the database answers', async () => {
    const query = (statement: string) => service.app.get(DataSource).query(statement);
    const doomed = await issueKey(service.client, 'ann', powerlessBody);
    expect(await statusOf(doomed)).toBe(200);
    await query('ALTER TABLE key_changes RENAME TO hidden');
    const hiddenAt = performance.now();
    await query(`UPDATE api_keys SET revoked_at = now() WHERE id = '${doomed.id}'`);
    let last = hiddenAt;
    let status = 200;
    for (let began = hiddenAt; status === 200; began = performance.now()) {
      status = await statusOf(doomed);
      if (status === 200) last = began;
    }
    expect(status).toBe(401);
    expect(await statusOf(key)).toBe(200);
    await query('ALTER TABLE hidden RENAME TO key_changes');
    process.stdout.write(`Changes unreadable: a revoked key was last taken ${(last - hiddenAt).toFixed(0)} ms later\n`);
    expect(last - hiddenAt).toBeLessThan(1_000);
  });

  const statusOf = async (one: IssuedKey) =>
    (await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(one))).status;
});
