import { inBackground } from '../src/background/background.js';
import { range } from './support/at-once.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { metricOf } from './support/metrics.js';
import { type ServiceProcess, sharedVariables, startProcess } from './support/process.js';
import { HAS_REDIS_SERVER, RedisServer } from './support/redis-server.js';
import { until } from './support/until.js';
import { pairOf, serviceHeaders, verify } from './support/verification.js';

const BATCHES = 160;
const BATCH = 100;
/** Together no more than the connections that a client keeps open. */
const REFUSED = 60;

let database: TestDatabase;
let service: ServiceProcess;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await service.stop('SIGKILL');
  await database.drop();
});

const signal = (name: NodeJS.Signals) => inBackground('The process', service.end(name));
const failuresOf = (kind: string) => metricOf(service.client, `w3ipfs_keys_background_failures_total{kind="${kind}"}`);

it('keeps running after an uncaught error, and reports it in the log and the metrics, without secrets', async () => {
  const secret = `w3s_${'x'.repeat(40)}`;
  const failing = `process.on('SIGUSR2', () => {
    Promise.reject(new Error('rejected ${secret}'));
    setImmediate(() => { throw new Error('thrown ${secret}'); });
  });`;
  service = await startProcess({
    ...database.variables,
    ...sharedVariables,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(failing)}`,
  });
  const key = await issueKey(service.client, 'ann', powerlessBody);
  expect([await failuresOf('rejections'), await failuresOf('exceptions')]).toEqual([0, 0]);
  for (const times of [1, 2]) {
    signal('SIGUSR2');
    await until(async () => (await failuresOf('exceptions')) === times, 'the exception to be counted');
    expect(await failuresOf('rejections')).toBe(times);
  }
  expect((await verify(service.client, key)).body.data.code).toBe('VALID');
  const output = service.output();
  for (const what of ['rejected', 'thrown']) expect(output).toContain(`${what} w3s_[redacted]`);
  expect(output).toContain('at process.<anonymous>');
  expect(output).not.toContain(secret);
});

if (!HAS_REDIS_SERVER) process.stdout.write('Skipped, since there is no redis-server: a flood of rates over Redis\n');

(HAS_REDIS_SERVER ? it : it.skip)(
  `answers ${BATCHES} batches of ${BATCH} keys with a rate limit at once, and refusals beside them, and lives`,
  async () => {
    const redis = await RedisServer.start();
    try {
      service = await startProcess({ ...database.variables, ...sharedVariables, REDIS_URL: redis.url });
      const limits = { rate_limit: { requests: 1_000_000, window_seconds: 60 } };
      const limited: IssuedKey[] = [];
      for (const _ of range(BATCH)) {
        limited.push(await issueKey(service.client, 'ann', { ...powerlessBody, limits }));
      }
      const powerless = await issueKey(service.client, 'bob', powerlessBody);
      const batch = () =>
        service.client.post('/api/apiKeys/verify/batch', serviceHeaders, { requests: limited.map(pairOf) });
      expect((await batch()).status).toBe(200);
      expect((await verify(service.client, powerless)).status).toBe(200);
      // On open connections, while the process is paused, so that it reads all of them at once
      await Promise.all(range(BATCHES + REFUSED).map(() => service.client.get('/health/live')));
      signal('SIGSTOP');
      const asked = [
        ...range(BATCHES).map(batch),
        ...range(REFUSED).map(() => service.client.get('/api/apiKeys/list', pairHeaders(powerless))),
      ];
      for (const _ of range(10)) await new Promise((resolve) => setImmediate(resolve));
      signal('SIGCONT');
      const answers = await Promise.all(asked);
      expect(answers).toHaveLength(BATCHES + REFUSED);
      for (const { status } of answers) expect([200, 403, 503]).toContain(status);
      expect((await verify(service.client, powerless)).body.data.code).toBe('VALID');
      expect([await failuresOf('failures'), await failuresOf('rejections'), await failuresOf('exceptions')]).toEqual([
        0, 0, 0,
      ]);
    } finally {
      await redis.kill();
    }
  },
);
