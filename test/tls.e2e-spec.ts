import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectionOptions, SafeClient } from '../src/database/safe-client.js';
import { type Certificates, makeCertificates } from './support/certificates.js';
import { onServer } from './support/database.js';
import { makeFolder, removeFolder } from './support/folders.js';
import { giveToServer, PostgresServer } from './support/postgres-server.js';
import { type ServiceProcess, sharedVariables, startProcess } from './support/process.js';
import { HAS_REDIS_SERVER, RedisServer } from './support/redis-server.js';
import { until } from './support/until.js';

const has = onServer && HAS_REDIS_SERVER;
if (!has) process.stdout.write('Skipped without servers: TLS to PostgreSQL and Redis\n');

const PASSWORD = 'p@ss/w%rd#?&:1';
/** The service's role only by TLS and a password; the tests' own role without either. */
const HBA = `
local all all trust
hostnossl all postgres all trust
hostssl all postgres all trust
hostssl all service all scram-sha-256
`;

(has ? describe : describe.skip)('with TLS', () => {
  let folder: string;
  let certificates: Certificates;
  let stranger: Certificates;
  let postgres: PostgresServer;

  beforeAll(async () => {
    folder = makeFolder();
    certificates = makeCertificates(folder);
    stranger = makeCertificates(makeFolder(folder));
    writeFileSync(join(folder, 'hba'), HBA);
    giveToServer(folder);
    const { cert, key } = certificates;
    const files = [`ssl_cert_file=${cert}`, `ssl_key_file=${key}`, `hba_file=${join(folder, 'hba')}`];
    postgres = await PostgresServer.start(['ssl=on', ...files]);
    await postgres.query(`CREATE ROLE service LOGIN PASSWORD '${PASSWORD}'`);
    await postgres.query('CREATE DATABASE keys OWNER service');
  });
  afterAll(async () => {
    await postgres?.stop();
    removeFolder(folder);
  });

  const urlAt = (host: string, parameters: string) =>
    `postgres://service:${encodeURIComponent(PASSWORD)}@${host}:${postgres.listensAt}/keys?${parameters}`;

  /** Whether a connection is encrypted, or why it failed. */
  async function connect(host: string, parameters: string): Promise<unknown> {
    const options = connectionOptions({ url: urlAt(host, parameters) }, { statementTimeoutMs: 0, lockTimeoutMs: 0 });
    const client = new SafeClient(options);
    try {
      await client.connect();
      const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
      return rows[0].ssl;
    } catch (error) {
      return (error as { code?: string }).code;
    } finally {
      await client.end();
    }
  }

  // The certificate is for localhost
  it.each<[string, string, (files: { own: string; other: string }) => string, unknown]>([
    ['encrypts without an authority', '127.0.0.1', () => 'sslmode=require', true],
    ['checks the authority', '127.0.0.1', ({ own }) => `sslmode=verify-ca&sslrootcert=${own}`, true],
    ['checks the authority by require too', '127.0.0.1', ({ own }) => `sslmode=require&sslrootcert=${own}`, true],
    ['checks all', 'localhost', ({ own }) => `sslmode=verify-full&sslrootcert=${own}`, true],
    [
      'refuses another host',
      '127.0.0.1',
      ({ own }) => `sslmode=verify-full&sslrootcert=${own}`,
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    ['refuses an unknown authority', 'localhost', () => 'sslmode=verify-full', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    [
      'refuses another authority',
      'localhost',
      ({ other }) => `sslmode=require&sslrootcert=${other}`,
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    ['is refused without', 'localhost', () => 'sslmode=disable', '28000'],
  ])('%s, at %s', async (_, host, parameters, expected) => {
    const files = { own: certificates.ca, other: stranger.ca };
    expect(await connect(host, parameters(files))).toBe(expected);
  });

  it('the service uses PostgreSQL and Redis, with any characters in its password', async () => {
    const redis = await RedisServer.startWithTls(certificates);
    let service: ServiceProcess | undefined;
    try {
      service = await startProcess({
        ...sharedVariables,
        DATABASE_URL: urlAt('localhost', `sslmode=verify-full&sslrootcert=${certificates.ca}`),
        REDIS_URL: `rediss://localhost:${redis.port}`,
        NODE_EXTRA_CA_CERTS: certificates.ca,
      });
      const { client } = service;
      await until(async () => (await client.get('/health/ready')).status === 200, 'the service to be ready');
      const { rows } = await postgres.query(
        "SELECT count(*)::int AS all, count(*) FILTER (WHERE ssl)::int AS ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'service'",
      );
      expect(rows[0].all).toBeGreaterThan(1);
      expect(rows[0].ssl).toBe(rows[0].all);
      expect(await service.stop()).toBe(0);
    } finally {
      await service?.stop('SIGKILL');
      await redis.kill();
    }
  });
});
