import { jest } from '@jest/globals';
import { range } from './support/at-once.js';
import { createTestDatabase, onMaintenanceDatabase, onServer, type TestDatabase } from './support/database.js';
import { issueKey, powerlessBody } from './support/keys.js';
import { KeptLog } from './support/log.js';
import { withRetry } from './support/retry.js';
import { type PgBouncer, PGBOUNCER_VARIABLE, startPgBouncer } from './support/pgbouncer.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceVariables, verify } from './support/verification.js';

const isInstalled = onServer && process.env[PGBOUNCER_VARIABLE] !== undefined;
if (!isInstalled)
  process.stdout.write(`Skipped: PgBouncer, which needs ${PGBOUNCER_VARIABLE}=<its path> and a server behind it\n`);

const IGNORED = 'ignore_startup_parameters = statement_timeout,lock_timeout,idle_in_transaction_session_timeout';
const STARTS = 8;

(isInstalled ? describe : describe.skip)('behind a PgBouncer that hands out connections by transaction', () => {
  let database: TestDatabase;
  let bouncer: PgBouncer;
  let services: TestService[] = [];
  let log: jest.SpiedFunction<KeptLog['keep']>;
  beforeAll(async () => {
    database = await createTestDatabase();
    bouncer = await startPgBouncer(String(database.variables.DATABASE_URL), [IGNORED, 'default_pool_size = 6']);
    log = jest.spyOn(KeptLog.prototype, 'keep');
  });
  afterAll(async () => {
    log?.mockRestore();
    await Promise.all(services.map((service) => service.stop()));
    await bouncer?.stop();
    await database.drop();
  });

  const start = () =>
    startService(
      {
        ...serviceVariables,
        CREDENTIAL_KEYS: Buffer.alloc(32, 7).toString('base64'),
        DATABASE_URL: bouncer.through(String(database.variables.DATABASE_URL)),
      },
      database,
    );
  const startAll = () => Promise.all(range(STARTS).map(start));
  const isReady = async ({ client }: TestService) => (await client.get('/health/ready')).status === 200;
  const allReady = () =>
    until(async () => (await Promise.all(services.map(isReady))).every(Boolean), 'all to be ready');
  const locks = async () => {
    const query = `SELECT count(*)::int AS held FROM pg_locks WHERE locktype = 'advisory' AND database =
                   (SELECT oid FROM pg_database WHERE datname = current_database())`;
    return (await onMaintenanceDatabase(String(database.variables.DATABASE_URL), query)).rows[0].held as number;
  };

  it('lets eight processes start at once on a database without a schema, and leaves no lock behind', async () => {
    services = await startAll();
    await allReady();
    await until(async () => (await locks()) === 0, 'all locks to be released');
    expect(services).toHaveLength(STARTS);
  });

  it('logs once in each that changes come from the poll only, and denies within the bound', async () => {
    const warnings = log.mock.calls.filter(
      ([level, message]) => level === 'warn' && /found only by the poll/.test(String(message)),
    );
    expect(warnings).toHaveLength(STARTS);
    const [first, ...others] = services as [TestService, ...TestService[]];
    const key = await issueKey(first.client, 'ann', powerlessBody);
    const codes = async () => Promise.all(others.map(async ({ client }) => (await verify(client, key)).body.data.code));
    expect(await codes()).toEqual(others.map(() => 'VALID'));
    await first.client.delete(`/api/apiKeys/${key.id}`, sessionOf('ann'));
    const answeredAt = performance.now();
    let lastValid = 0;
    await until(async () => {
      const began = performance.now();
      const all = await codes();
      if (all.includes('VALID')) lastValid = began - answeredAt;
      return all.every((code) => code === 'REVOKED');
    }, 'all to deny');
    expect(lastValid).toBeLessThan(1_000);
  });

  it('lets eight more start while the first are in use', async () => {
    const [first] = services as [TestService, ...TestService[]];
    const done = new AbortController();
    const statuses = new Set<number>();
    const work = range(4).map(async (index) => {
      const create = () => first.client.post('/api/apiKeys', sessionOf(`owner ${index}`), powerlessBody);
      // All of them run in this one process, whose transactions may wait too long
      while (!done.signal.aborted) statuses.add((await withRetry(create, () => undefined)).status);
    });
    try {
      await Promise.all(services.splice(1).map((service) => service.stop()));
      services.push(...(await startAll()));
      await allReady();
    } finally {
      done.abort();
    }
    await Promise.all(work);
    expect([...statuses]).toEqual([200]);
    await until(async () => (await locks()) === 0, 'all locks to be released');
  });

  it('names the missing setting if the pooler refuses the limits of a connection', async () => {
    const strict = await startPgBouncer(String(database.variables.DATABASE_URL));
    const url = strict.through(String(database.variables.DATABASE_URL));
    await expect(startService({ DATABASE_URL: url }, database)).rejects.toThrow(IGNORED);
    await strict.stop();
  });
});
