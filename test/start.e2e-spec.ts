import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { range } from './support/at-once.js';
import { Client } from './support/client.js';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { makeFolder, removeFolder } from './support/folders.js';
import { freePort } from './support/free-port.js';
import { credentialOf, documentedBody, issued, type IssuedKey, pairHeaders } from './support/keys.js';
import { endOf, launch, run, type ServiceProcess, startProcess } from './support/process.js';
import { accountService } from './support/sessions.js';
import { until } from './support/until.js';

const TEST = '/api/apiKeys/testAuthentication';

if (onServer) process.stdout.write('Skipped on a server: what is about the embedded database alone\n');
const onEmbedded = onServer ? describe.skip : describe;

onEmbedded('the first start', () => {
  let variables: { DATA_DIR: string };
  let service: ServiceProcess;
  let first: { pair: Pick<IssuedKey, 'api_key' | 'secret_key'>; session: { authorization: string } };
  beforeAll(async () => {
    variables = { DATA_DIR: makeFolder() };
    // As left by an earlier start that was killed while it created the database
    mkdirSync(join(variables.DATA_DIR, 'postgres.new', 'base'), { recursive: true });
    writeFileSync(join(variables.DATA_DIR, 'postgres.new', 'PG_VERSION'), '18');
    service = await startProcess(variables);
  });
  afterAll(async () => {
    await service.stop('SIGKILL');
    removeFolder(variables.DATA_DIR);
  });

  it('starts over if an earlier one was killed half-way', async () => {
    expect((await service.client.get('/health/ready')).status).toBe(200);
  });

  it('prints the credentials for the documented curl command', async () => {
    const { client, output } = service;
    await until(() => output().includes("-d '{"), 'the guide');
    const word = (label: string) => new RegExp(`${label} +(\\S+)`).exec(output())?.[1] ?? '';
    first = {
      pair: { api_key: word('api_key'), secret_key: word('secret_key') },
      session: { authorization: `Bearer ${word('session token')}` },
    };
    expect((await client.get(TEST, pairHeaders(first.pair))).body.data.scopes.admin).toBe(true);
    expect(word('credential')).toBe(credentialOf(first.pair));
    issued(await client.post('/api/apiKeys/', first.session, documentedBody));
    expect(word('service token').length).toBeGreaterThanOrEqual(32);
    expect(output()).toContain('curl -X POST');
  });

  it('keeps its secrets in a file that only its user can read', () => {
    expect(statSync(join(variables.DATA_DIR, 'secrets.json')).mode & 0o777).toBe(0o600);
  });

  it('locks the data folder: a second process is refused with an explanation', async () => {
    const second = await run(['dist/main.js'], { ...variables, PORT: '0' });
    expect(second.code).toBe(78);
    expect(second.stderr).toMatch(/^DATA_DIR: another process is using /m);
    expect((await service.client.get('/health/ready')).status).toBe(200);
  });

  it('is the only one that prints them; after kill -9, the next has all acknowledged data', async () => {
    const key = issued(await service.client.post('/api/apiKeys', first.session, documentedBody));
    expect(await service.stop('SIGKILL')).toBe('SIGKILL');

    service = await startProcess(variables);
    for (const pair of [key, first.pair]) expect((await service.client.get(TEST, pairHeaders(pair))).status).toBe(200);
    // A later start prints a command for a session instead
    await until(() => service.output().includes('session token'), 'the reminder');
    const [, ...args] = /npm run keys -- (session) (--owner) (\S+)/.exec(service.output()) ?? [];
    const { stdout } = await run(['dist/cli.js', ...args, '--json'], variables);
    const authorization = `Bearer ${JSON.parse(stdout).token}`;
    expect((await service.client.get('/api/apiKeys/list', { authorization })).status).toBe(200);
    expect(await service.stop()).toBe(0);
    expect(service.output()).not.toMatch(/is the first start|w3s_/);
  });
});

describe('a start', () => {
  let database: TestDatabase;
  let variables: Record<string, string>;
  beforeEach(async () => {
    database = await createTestDatabase();
    variables = database.variables;
  });
  afterEach(() => database.drop());

  (onServer ? it.skip : it)(
    'after a failed one still prints the guide, without secrets from its configuration',
    async () => {
      await expectTaken(variables);
      await run(['dist/cli.js', 'issue-admin', '--owner', 'early'], variables);
      const token = 'the-service-token-of-an-operator-of-ours';
      const given = { SERVICE_TOKENS: `gateway:${token}`, JWT_PUBLIC_KEY: accountService.publicKey };
      const service = await startProcess({ ...variables, ...given });
      await until(() => service.output().includes("-d '{"), 'the guide');
      expect(await service.stop()).toBe(0);
      expect(service.output()).not.toContain(token);
    },
  );

  (onServer ? it : it.skip)('reports which address is in use', () => expectTaken(variables));

  it('names its database, and keeps running when its output is closed', async () => {
    const port = await freePort();
    const child = launch(['dist/main.js'], { ...variables, PORT: String(port), LOG_LEVEL: 'debug' });
    const first = await once(child.stderr as Readable, 'data');
    expect(String(first)).toBe(`Database: ${nameOf(variables)}\n`);
    for (const stream of [child.stdout, child.stderr]) stream?.destroy();
    const client = new Client(`http://127.0.0.1:${port}`);
    const status = async () => (await client.get('/api/apiKeys/list', {})).status;
    await until(() => status().then(Boolean, () => false), 'the service to listen');
    expect(await status()).toBe(401);
    client.close();
    child.kill();
    expect(await endOf(child)).toBe(0);
  });

  it('exits with 0 on SIGTERM even if a client never finishes its request', async () => {
    const service = await startProcess(variables);
    const { port } = new URL(service.client.url);
    const socket = connect(Number(port), '127.0.0.1');
    await new Promise((resolve) =>
      socket.write(
        'POST /api/apiKeys HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
        resolve,
      ),
    );
    socket.on('error', () => undefined);
    await service.client.get('/health/live');
    expect(await service.stop('SIGTERM')).toBe(0);
  });

  (onServer ? it.skip : it)('of several processes at once on a data folder succeeds exactly once', async () => {
    const starts = await Promise.allSettled(range(3).map(() => startProcess(variables)));
    const started = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    expect(started).toHaveLength(1);
    await started[0]?.stop('SIGKILL');
  });

  /** Starts it on a port that another server has. */
  async function expectTaken(on: Record<string, string>): Promise<void> {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await run(['dist/main.js'], { ...on, PORT: String(port) });
    other.close();
    expect(code).toBe(1);
    expect(stderr.split('\n')[1]).toBe(
      `HOST, PORT (127.0.0.1:${port}): another process is listening there (EADDRINUSE)`,
    );
  }
});

function nameOf({ DATABASE_URL: url, DATA_DIR: dataDir }: Record<string, string>): string {
  if (!url) return `the embedded one in ${dataDir}`;
  const { host, pathname } = new URL(url);
  return host + pathname;
}

describe('the configuration', () => {
  let folder: string;
  beforeEach(() => {
    folder = makeFolder();
  });
  afterEach(() => removeFolder(folder));

  it('must be complete in production: every missing variable is named, and nothing is generated', async () => {
    const { code, stderr } = await run(['dist/main.js'], { NODE_ENV: 'production', DATA_DIR: join(folder, 'data') });
    expect(code).toBe(78);
    for (const name of ['DATABASE_URL', 'CREDENTIAL_KEYS', 'SERVICE_TOKENS', 'JWT_PUBLIC_KEY or JWT_JWKS_URL']) {
      expect(stderr).toContain(`- ${name}: must be set`);
    }
    expect(() => statSync(join(folder, 'data'))).toThrow('ENOENT');
  });

  (onServer ? it.skip : it)('must not name a data folder whose path is too long for a socket', async () => {
    const { code, stderr } = await run(['dist/main.js'], { DATA_DIR: join(folder, 'x'.repeat(120)) });
    expect(code).toBe(78);
    expect(stderr).toContain('too long');
  });

  (onServer ? it.skip : it)('must not have unreadable secrets, which are not quoted', async () => {
    writeFileSync(join(folder, 'secrets.json'), '{"credential_key": "c2VjcmV0", ');
    const { code, stderr } = await run(['dist/main.js'], { DATA_DIR: folder });
    expect(code).toBe(78);
    expect(stderr).toContain('secrets.json');
    expect(stderr).not.toContain('c2VjcmV0');
  });
});
