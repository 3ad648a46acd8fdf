import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { makeFolder, removeFolder } from './support/folders.js';
import { documentedBody, issued, pairHeaders } from './support/keys.js';
import { run, type ServiceProcess, startProcess } from './support/process.js';
import { accountService, sessionOf } from './support/sessions.js';
import { until } from './support/until.js';

const TEST = '/api/apiKeys/testAuthentication';

if (onServer) process.stdout.write('Left out on a server: what is about the embedded database alone\n');

let database: TestDatabase;
let variables: Record<string, string>;
beforeEach(async () => {
  database = await createTestDatabase();
  variables = { ...database.variables };
});
afterEach(() => database.drop());

async function during<T>(more: Record<string, string>, act: (service: ServiceProcess) => Promise<T>): Promise<T> {
  const service = await startProcess({ ...variables, ...more });
  try {
    return await act(service);
  } finally {
    await service.stop();
  }
}

(onServer ? describe.skip : describe)('the first start', () => {
  it('prints, once, what the documented curl needs, on the embedded database', async () => {
    delete variables['DATABASE_URL'];
    const printed = await during({}, async ({ client, output }) => {
      await until(() => output().includes("-d '{"), 'the welcome');
      const word = (label: string) => new RegExp(`${label} +(\\S+)`).exec(output())?.[1] ?? '';
      const pair = { api_key: word('api_key'), secret_key: word('secret_key') };
      expect((await client.get(TEST, pairHeaders(pair))).body.data.scopes.admin).toBe(true);
      const session = { authorization: `Bearer ${word('session token')}` };
      issued(await client.post('/api/apiKeys/', session, documentedBody));
      expect(word('service token').length).toBeGreaterThanOrEqual(32);
      return { ...pair, text: output() };
    });
    expect(printed.text).toContain('curl -X POST');

    await during({}, async ({ client, output }) => {
      expect((await client.get(TEST, pairHeaders(printed))).status).toBe(200);
      expect(output()).not.toMatch(/first start|w3s_/);
    });
  });

  it('is not over before it has been printed: a start that failed does not count', async () => {
    delete variables['DATABASE_URL'];
    await withTakenPort(async (port) => {
      expect((await run(['dist/main.js'], { ...variables, PORT: String(port) })).code).toBe(1);
    });
    await run(['dist/cli.js', 'issue-admin', '--owner', 'early'], variables);
    await during({}, async ({ output }) => until(() => output().includes("-d '{"), 'the welcome'));
  });

  it('prints no secret that it was given', async () => {
    delete variables['DATABASE_URL'];
    const token = 'the-service-token-of-an-operator-of-ours';
    await during(
      { SERVICE_TOKENS: `gateway:${token}`, JWT_PUBLIC_KEY: accountService.publicKey },
      async ({ output }) => {
        await until(() => output().includes("-d '{"), 'the welcome');
        expect(output()).not.toContain(token);
      },
    );
  });

  it('begins again where an earlier one was killed half-way', async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'postgres.new', 'base'), { recursive: true });
    writeFileSync(join(folder, 'postgres.new', 'PG_VERSION'), '18');
    const service = await startProcess({ DATA_DIR: folder });
    expect((await service.client.get('/health/ready')).status).toBe(200);
    await service.stop();
    removeFolder(folder);
  });

  it('keeps its own secrets where nobody else can read them', async () => {
    await during({}, async () => undefined);
    const file = statSync(join(variables['DATA_DIR'] as string, 'secrets.json'));
    expect(file.mode & 0o777).toBe(0o600);
  });

  it('refuses secrets that it cannot read, and does not quote them', async () => {
    writeFileSync(join(variables['DATA_DIR'] as string, 'secrets.json'), '{"credential_key": "c2VjcmV0", ');
    const { code, stderr } = await run(['dist/main.js'], variables);
    expect(code).toBe(78);
    expect(stderr).toContain('secrets.json');
    expect(stderr).not.toContain('c2VjcmV0');
  });
});

(onServer ? describe.skip : describe)('a data folder', () => {
  const onFolder = () => ({ DATA_DIR: variables['DATA_DIR'] as string });

  it('is refused to a second process, in words', async () => {
    const service = await startProcess(onFolder());
    const second = await run(['dist/main.js'], { ...onFolder(), PORT: '0' });
    expect(second.code).toBe(78);
    expect(second.stderr).toMatch(/^DATA_DIR: another process is running on /);
    expect((await service.client.get('/health/ready')).status).toBe(200);
    await service.stop();
  });

  it('is given to exactly one of several that start at once', async () => {
    const starts = await Promise.allSettled(Array.from({ length: 4 }, () => startProcess(onFolder())));
    const started = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    expect(started).toHaveLength(1);
    await started[0]?.stop();
  });

  it('is free again after kill -9, with everything that was acknowledged', async () => {
    const service = await startProcess({ ...onFolder(), JWT_PUBLIC_KEY: accountService.publicKey });
    const key = issued(await service.client.post('/api/apiKeys', sessionOf('ann'), documentedBody));
    expect(await service.stop('SIGKILL')).toBe('SIGKILL');

    const again = await startProcess(onFolder());
    expect((await again.client.get(TEST, pairHeaders(key))).status).toBe(200);
    await again.stop();
  });

  it('is refused when its path is too long for a socket', async () => {
    const tooLong = join(variables['DATA_DIR'] as string, 'x'.repeat(120));
    const { code, stderr } = await run(['dist/main.js'], { DATA_DIR: tooLong });
    expect(code).toBe(78);
    expect(stderr).toContain('too long');
  });
});

it('ends with 0 on SIGTERM', async () => {
  const service = await startProcess(variables);
  expect(await service.stop('SIGTERM')).toBe(0);
});

it('ends on SIGTERM though a client never finishes its request', async () => {
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

it('says which address is taken', async () => {
  await withTakenPort(async (port) => {
    const { code, stderr } = await run(['dist/main.js'], { ...variables, PORT: String(port) });
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^listen EADDRINUSE.*${port}`, 'm'));
  });
});

describe('the configuration', () => {
  it('must be whole in production: everything that is missing is named, and nothing is made up', async () => {
    const folder = makeFolder();
    const { code, stderr } = await run(['dist/main.js'], { NODE_ENV: 'production', DATA_DIR: join(folder, 'data') });
    removeFolder(folder);
    expect(code).toBe(78);
    for (const name of ['DATABASE_URL', 'CREDENTIAL_KEYS', 'SERVICE_TOKENS', 'JWT_PUBLIC_KEY or JWT_JWKS_URL']) {
      expect(stderr).toContain(`- ${name}: must be set`);
    }
    expect(() => statSync(join(folder, 'data'))).toThrow('ENOENT');
  });
});

async function withTakenPort(act: (port: number) => Promise<void>): Promise<void> {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  try {
    await act((other.address() as AddressInfo).port);
  } finally {
    other.close();
  }
}
