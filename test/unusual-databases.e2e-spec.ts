import pg from 'pg';
import { loadEnvironment } from '../src/configuration.js';
import { migrate } from '../src/database/migrate.js';
import { createApp } from '../src/app.js';
import { range } from './support/at-once.js';
import { createTestDatabase, onMaintenanceDatabase, onServer, type TestDatabase } from './support/database.js';
import { issued, issueKey, powerlessBody } from './support/keys.js';
import { KeptLog } from './support/log.js';
import { startProxy } from './support/proxy.js';
import { startService, type TestService } from './support/service.js';
import { accountService, sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceVariables, verify } from './support/verification.js';

if (!onServer) process.stdout.write('Skipped on the embedded database: what a server may configure\n');
const onServerOnly = onServer ? describe : describe.skip;

const variables = { ...serviceVariables, CREDENTIAL_KEYS: Buffer.alloc(32, 7).toString('base64') };

onServerOnly('a database with unusual defaults', () => {
  let database: TestDatabase;
  let service: TestService;
  let url: string;
  let role: string;
  let name: string;
  const query = (statement: string) => onMaintenanceDatabase(url, statement);

  beforeAll(async () => {
    database = await createTestDatabase({
      definition: `TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'`,
    });
    url = String(database.variables.DATABASE_URL);
    name = new URL(url).pathname.slice(1);
    role = `${name}_user`;
    await query(`ALTER DATABASE ${name} SET default_transaction_isolation = 'serializable'`);
    await migrate({ url });
    await query(`CREATE ROLE ${role} LOGIN`);
    await query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`);
    await query(`GRANT USAGE, UPDATE ON SEQUENCE key_changes_seq_seq TO ${role}`);
    const asRole = new URL(url);
    asRole.username = role;
    service = await startService({ ...variables, DATABASE_URL: asRole.href }, database);
  });
  afterAll(async () => {
    await service?.stop();
    await query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    await database.drop();
  });

  const create = (owner = 'ann', body: object = powerlessBody) =>
    service.client.post('/api/apiKeys', sessionOf(owner), body);
  const ready = async () => {
    const { status, body } = await service.client.get('/health/ready');
    return status === 200 ? [] : body.error.details;
  };

  it('issues keys, counts uses and revokes concurrently with serializable transactions', async () => {
    const answers = await Promise.all(range(40).map((index) => create(`owner ${index % 20}`)));
    expect(answers.map(({ status }) => status)).toEqual(range(40).map(() => 200));
    const limited = await issueKey(service.client, 'ann', { ...powerlessBody, limits: { max_uses: 30 } });
    const verdicts = await Promise.all(range(40).map(() => verify(service.client, limited)));
    expect(verdicts.filter(({ body }) => body.data.code === 'VALID')).toHaveLength(30);
    const revoked = await Promise.all(
      answers.map(({ body }, index) =>
        service.client.delete(`/api/apiKeys/${body.data.id}`, sessionOf(`owner ${index % 20}`)),
      ),
    );
    expect(revoked.map(({ status }) => status)).toEqual(range(40).map(() => 200));
  });

  it('matches names in any case, even if the database folds only ASCII', async () => {
    await create('bob', { ...powerlessBody, name: 'ÄPFEL (100%)' });
    const find = async (part: string) =>
      (await service.client.get(`/api/apiKeys/list?name=${encodeURIComponent(part)}`, sessionOf('bob'))).body.data
        .total;
    expect(await Promise.all(['äpfel', 'pfEL (1', '%)', '_', 'apfel'].map(find))).toEqual([1, 1, 1, 0, 0]);
  });

  it('answers 503 with Retry-After while an operator has locked a table', async () => {
    const key = issued(await create());
    const operator = new pg.Client({ connectionString: url });
    await operator.connect();
    for (const table of ['api_keys', 'audit_events']) {
      await operator.query('BEGIN');
      await operator.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
      const answers = await Promise.all([
        create(),
        service.client.delete(`/api/apiKeys/${key.id}`, sessionOf('bob')),
        service.client.get(table === 'api_keys' ? '/api/apiKeys/list' : '/api/apiKeys/events', sessionOf('cat')),
      ]);
      await operator.query('ROLLBACK');
      const expected = table === 'api_keys' ? [503, 503, 503] : [503, 404, 503];
      expect(answers.map(({ status }) => status)).toEqual(expected);
      for (const { status, headers } of answers) if (status === 503) expect(headers['retry-after']).toMatch(/^[12]$/);
    }
    await operator.end();
    expect((await create()).status).toBe(200);
  });

  it('revokes if invalidation numbers restart, as on a database restored without them', async () => {
    const keys = [];
    for (const _ of range(4)) keys.push(issued(await create()));
    await service.client.delete(`/api/apiKeys/${keys[0]?.id}`, sessionOf('ann'));
    await query('ALTER SEQUENCE key_changes_seq_seq RESTART');
    const answers = await Promise.all(
      keys.slice(1).map(({ id }) => service.client.delete(`/api/apiKeys/${id}`, sessionOf('ann'))),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('is ready only if its user has the rights to write, and names the missing ones', async () => {
    expect(await ready()).toEqual([]);
    await query(`REVOKE INSERT, UPDATE ON owners FROM ${role}`);
    expect(await ready()).toEqual([
      { path: 'database', message: 'its user lacks rights: INSERT on owners, UPDATE on owners' },
    ]);
    const { status, body } = await create();
    expect([status, body.error.code, typeof body.request_id]).toEqual([500, 'internal', 'string']);
    await query(`GRANT INSERT, UPDATE ON owners TO ${role}`);
    expect(await ready()).toEqual([]);
  });

  it('is not ready while the database is read-only, and refuses changes with an explanation', async () => {
    await query(`ALTER ROLE ${role} SET default_transaction_read_only = on`);
    await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`);
    const isReadOnly = { path: 'database', message: 'rejects writes: it is read-only' };
    await until(async () => JSON.stringify(await ready()) === JSON.stringify([isReadOnly]), 'it to be read-only');
    const { status, body, headers } = await create();
    expect([status, body.error.message]).toEqual([503, expect.stringContaining('read-only')]);
    expect(headers['retry-after']).toBe('2');
    await query(`ALTER ROLE ${role} RESET default_transaction_read_only`);
    await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`);
    await until(async () => (await ready()).length === 0, 'it to be ready');
  });
});

onServerOnly('a start', () => {
  let database: TestDatabase;
  let url: URL;
  beforeAll(async () => {
    database = await createTestDatabase();
    url = new URL(String(database.variables.DATABASE_URL));
    await migrate({ url: url.href });
  });
  afterAll(() => database.drop());

  const start = (databaseUrl: string, more: Record<string, string> = {}) =>
    createApp(
      loadEnvironment({
        ...database.variables,
        DATABASE_URL: databaseUrl,
        JWT_PUBLIC_KEY: accountService.publicKey,
        ...more,
      }),
      { logger: new KeptLog() },
    );

  it('is refused on a database that cannot store every name, with the remedy', async () => {
    const latin = await createTestDatabase({
      definition: `TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`,
    });
    await expect(start(String(latin.variables.DATABASE_URL))).rejects.toThrow(/encoding is LATIN1.*must be UTF8/);
    await latin.drop();
  });

  it('waits for no lock if the schema is up to date', async () => {
    const operator = new pg.Client({ connectionString: url.href });
    await operator.connect();
    await operator.query('SELECT pg_advisory_lock($1)', [0x77336b]);
    await (await start(url.href)).close();
    await operator.end();
  });

  it('is ready on a database as distant as the bound allows, and refused with an explanation beyond', async () => {
    const bound = { REVOCATION_BOUND_MS: '200' };
    const distant = async (roundTripMs: number) => {
      const proxy = await startProxy(url.hostname, Number(url.port), { roundTripMs });
      return { proxy, url: `postgres://${url.username}@127.0.0.1:${proxy.port}${url.pathname}` };
    };
    const [near, far] = [await distant(60), await distant(150)];
    await expect(start(far.url, bound)).rejects.toThrow(
      /took \d{3} ms\. REVOCATION_BOUND_MS=200 requires 70 ms.*set REVOCATION_BOUND_MS to \d{3} or more/,
    );
    const service = await startService({ DATABASE_URL: near.url, ...bound }, database);
    await until(async () => (await service.client.get('/health/ready')).status === 200, 'it to be ready');
    await service.stop();
    await Promise.all([near.proxy.cut(), far.proxy.cut()]);
  });
});
