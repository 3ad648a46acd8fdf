import { range } from '../support/at-once.js';
import { onServer } from '../support/database.js';
import { issueKey, type IssuedKey, powerlessBody } from '../support/keys.js';
import { PostgresServer } from '../support/postgres-server.js';
import { run, type ServiceProcess, sharedVariables, startProcess } from '../support/process.js';
import { type Proxy, startProxy } from '../support/proxy.js';
import { sessionOf } from '../support/sessions.js';
import { until } from '../support/until.js';
import { verify } from '../support/verification.js';

const BOUND_MS = 1_000;
const LOST = 20;

// The embedded database has no standby
(onServer ? describe : describe.skip)('when the primary dies, and a standby that lags is promoted', () => {
  let primary: PostgresServer;
  let standby: PostgresServer;
  const proxies: Proxy[] = [];
  let services: [ServiceProcess, ServiceProcess];

  beforeAll(async () => {
    primary = await PostgresServer.start();
    const url = new URL(primary.url);
    const start = async (options: { losesNotifications?: boolean } = {}) => {
      const proxy = await startProxy(url.hostname, Number(url.port), options);
      proxies.push(proxy);
      return startProcess({ ...sharedVariables, DATABASE_URL: primary.url.replace(url.port, String(proxy.port)) });
    };
    services = [await start(), await start({ losesNotifications: true })];
    standby = await primary.standby();
  });
  afterAll(async () => {
    await Promise.all(services?.map((service) => service.stop('SIGKILL')) ?? []);
    for (const proxy of proxies) await proxy.cut();
    await Promise.all([primary, standby].map((server) => server?.stop()));
  });

  it('exits with an explanation when started on the standby', async () => {
    const { code, stderr, stdout } = await run(['dist/main.js'], {
      ...sharedVariables,
      DATABASE_URL: standby.url,
      PORT: '0',
    });
    expect(code).toBe(1);
    expect(stderr + stdout).toMatch(/is a standby, which rejects writes: point DATABASE_URL to the primary/);
  });

  it('denies keys revoked on the new primary within the bound, in every process', async () => {
    const [first, other] = services;
    const kept = await issueKey(first.client, 'ann', powerlessBody);
    const doomed: IssuedKey[] = [];
    for (const _ of range(5)) doomed.push(await issueKey(first.client, 'ann', powerlessBody));
    await until(async () => (await standby.query('SELECT FROM api_keys')).rowCount === 6, 'the standby to follow');
    await standby.kill();
    // Transactions that only the old primary has: the new one reuses their ids
    for (const _ of range(LOST)) await issueKey(first.client, 'ann', powerlessBody);
    for (const key of [...doomed, kept]) expect(await codeOf(other, key)).toBe('VALID');
    const { rows } = await primary.query('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next');
    const reached = BigInt(rows[0].next);

    for (const proxy of proxies) await proxy.cut();
    await primary.kill();
    await standby.startAgain();
    await standby.promote();
    const [proxyOfFirst, proxyOfOther] = proxies as [Proxy, Proxy];
    for (const proxy of proxies) proxy.leadTo(standby.listensAt);
    await proxyOfFirst.mend();
    await until(() => isReady(first), 'the first to be ready');
    const { rows: after } = await standby.query('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next');
    const beganAgain = BigInt(after[0].next) < reached;
    // Before the other process connects, which then asks for changes after the last one it saw on the old primary
    for (const key of doomed) {
      const { status } = await first.client.delete(`/api/apiKeys/${key.id}`, sessionOf('ann'));
      expect(status).toBe(200);
    }
    await proxyOfOther.mend();
    const mendedAt = performance.now();
    const lastValid = await Promise.all(
      doomed.map(async (key) => {
        let last = Number.NEGATIVE_INFINITY;
        await until(async () => {
          const began = performance.now();
          const code = await codeOf(other, key);
          if (code === 'VALID') last = began;
          return code === 'REVOKED';
        }, 'the revocation to be known');
        return last - mendedAt;
      }),
    );
    process.stdout.write(
      `A failover: last VALID ${Math.max(...lastValid).toFixed(0)} ms after the database was back\n`,
    );
    expect(Math.max(...lastValid)).toBeLessThan(BOUND_MS);
    // And it stays denied, once changes are read again and the cache is trusted
    await until(() => isReady(other), 'the other to be ready');
    for (const key of doomed) expect(await codeOf(other, key)).toBe('REVOKED');
    // Otherwise the test would prove nothing: these transactions reuse ids of the old primary
    expect(beganAgain).toBe(true);
    expect(await codeOf(other, kept)).toBe('VALID');
  });

  const isReady = async ({ client }: ServiceProcess) => (await client.get('/health/ready')).status === 200;
  const codeOf = async ({ client }: ServiceProcess, key: IssuedKey) => {
    const { status, body } = await verify(client, key);
    return status === 200 ? (body.data.code as string) : String(status);
  };
});
