import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Client } from './support/client.js';
import { makeFolder, removeFolder } from './support/folders.js';
import { freePort } from './support/free-port.js';
import { documentedBody, type IssuedKey, issueKey, pairHeaders, powerlessBody } from './support/keys.js';
import { run } from './support/process.js';
import { type Proxy, startProxy } from './support/proxy.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { type SidecarProcess, sidecarVariables, startSidecar, statusOverSocket } from './support/sidecar-process.js';
import { until } from './support/until.js';
import { serviceVariables, verify } from './support/verification.js';

const AUTHORIZE = '/api/apiKeys/authorize?scope=data.pin_list';
const BOUND_MS = 1_000;

const service = useService(serviceVariables);
let proxy: Proxy;
let sidecar: SidecarProcess;
beforeAll(async () => {
  proxy = await startProxy('127.0.0.1', Number(new URL(service.client.url).port));
  sidecar = await startSidecar(sidecarVariables(`http://127.0.0.1:${proxy.port}`));
  await untilReady(sidecar.client);
});
afterAll(async () => {
  await sidecar.stop();
  await proxy.cut();
});

const issue = () => issueKey(service.client, 'ann', powerlessBody);
const codeOf = async (key: IssuedKey) => (await verify(sidecar.client, key)).body.data?.code;

async function untilReady(client: Client): Promise<void> {
  await until(async () => (await client.get('/health/ready')).status === 200, 'the sidecar to be ready');
}

async function decidedLocally(): Promise<number> {
  const { text } = await sidecar.client.get('/metrics');
  return Number(/decisions_total\{source="local"\} (\d+)/.exec(text)?.[1]);
}

/** Verifies until the guard decides on the key by itself. */
async function learn(key: IssuedKey): Promise<void> {
  await until(async () => {
    const before = await decidedLocally();
    expect(await codeOf(key)).toBe('VALID');
    return (await decidedLocally()) > before;
  }, 'a local verdict');
}

it('decides by itself on a key that it has seen', async () => {
  await learn(await issue());
});

it('accepts a revoked key no longer than the bound', async () => {
  const key = await issue();
  await learn(key);
  await service.client.delete(`/api/apiKeys/${key.id}`, sessionOf('ann'));
  const revokedAt = performance.now();
  let lastValidAt = 0;
  await until(async () => {
    const askedAt = performance.now();
    const code = await codeOf(key);
    if (code === 'VALID') lastValidAt = askedAt;
    return code === 'REVOKED';
  }, 'the revocation');
  expect(lastValidAt).toBeLessThan(revokedAt + BOUND_MS);
  const { status, body } = await sidecar.client.get(AUTHORIZE, pairHeaders(key));
  expect([status, body.error.reason]).toEqual([401, 'REVOKED']);
});

it('answers 503 while the service is away, and never 401', async () => {
  const [known, unknown] = [await issue(), await issue()];
  await learn(known);
  await proxy.cut();
  await until(async () => (await verify(sidecar.client, known)).status === 503, 'the guard to notice');
  const answers = [
    await verify(sidecar.client, known),
    await verify(sidecar.client, unknown),
    await sidecar.client.get(AUTHORIZE, pairHeaders(known)),
    await sidecar.client.get(AUTHORIZE, sessionOf('ann')),
  ];
  for (const { status, headers, body } of answers) {
    expect([status, body.error.code]).toEqual([503, 'unavailable']);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  }
  const batch = { requests: [{ api_key: known.api_key, secret_key: known.secret_key }] };
  const { body } = await sidecar.client.post(
    '/api/apiKeys/verify/batch',
    { authorization: `Bearer ${'o'.repeat(32)}` },
    batch,
  );
  expect(body.data.verdicts).toEqual([{ valid: false, code: 'UNAVAILABLE', retry_after_seconds: expect.any(Number) }]);
  expect((await sidecar.client.get('/health/ready')).status).toBe(200);
  await proxy.mend();
  await until(async () => (await verify(sidecar.client, known)).status === 200, 'the service to be back');
  expect(sidecar.output()).toMatch(/The API-key service does not answer \(away, was \w+\)/);
});

it('passes on no permission that is not from the service', async () => {
  const stranger = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const { port } = stranger.address() as AddressInfo;
  const misled = await startSidecar(sidecarVariables(`http://127.0.0.1:${port}`));
  expect((await misled.client.get(AUTHORIZE, sessionOf('ann'))).status).toBe(503);
  await misled.stop();
  stranger.closeAllConnections();
  stranger.close();
});

it('is alive but not ready before the service has answered, or if it refuses the token', async () => {
  const alone = await startSidecar(sidecarVariables(`http://127.0.0.1:${await freePort()}`));
  const refused = await startSidecar({ ...sidecarVariables(service.client.url), GUARD_TOKEN: 'x'.repeat(32) });
  await until(() => refused.output().includes('refuses GUARD_TOKEN'), 'the refusal in the log');
  for (const [{ client }, path] of [
    [alone, 'GUARD_URL'],
    [refused, 'GUARD_TOKEN'],
  ] as const) {
    expect((await client.get('/health/live')).status).toBe(200);
    const { status, body } = await client.get('/health/ready');
    expect([status, body.error.details[0].path]).toEqual([503, path]);
  }
  expect(await alone.stop()).toBe(0);
  expect(await refused.stop()).toBe(0);
});

it('reports what it decided, and exits with 0, on SIGTERM', async () => {
  const key = await issue();
  const stopped = await startSidecar(sidecarVariables(service.client.url));
  for (let times = 0; times < 5; times++) expect((await verify(stopped.client, key)).body.data.code).toBe('VALID');
  expect(await stopped.stop()).toBe(0);
  await until(async () => {
    const { body } = await service.client.get(`/api/apiKeys/${key.id}`, sessionOf('ann'));
    return body.data.uses === 5;
  }, 'all uses');
});

describe('on a Unix socket', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = makeFolder();
    path = join(folder, 'guard.sock');
  });
  afterEach(() => removeFolder(folder));

  const start = (more: Record<string, string> = {}) =>
    startSidecar({ ...sidecarVariables(service.client.url), GUARD_LISTEN: `unix:${path}`, ...more });

  it('listens for its own user alone, and replaces a socket that a killed process left', async () => {
    const killed = await start();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await killed.stop('SIGKILL');
    const next = await start();
    expect(await statusOverSocket(path, AUTHORIZE, sessionOf('ann'))).toBe(200);
    await expect(start()).rejects.toThrow(/GUARD_LISTEN: another process is listening there/);
    expect(await statusOverSocket(path, '/health/live', {})).toBe(200);
    expect(await next.stop()).toBe(0);
  });

  it('leaves a file alone that is not a socket', async () => {
    writeFileSync(path, 'precious');
    await expect(start()).rejects.toThrow(/GUARD_LISTEN: .*not a socket/);
    expect(statSync(path).size).toBe(8);
  });

  it('trusts a gateway on it with the address of the client, if 127.0.0.1 is trusted', async () => {
    const limits = { allowed_cidrs: ['198.51.100.0/24'] };
    const key = await issueKey(service.client, 'ann', { ...documentedBody, limits });
    const trusting = await start({ TRUSTED_PROXIES: '127.0.0.1' });
    const statusFrom = (address: string) =>
      statusOverSocket(path, AUTHORIZE, { ...pairHeaders(key), 'x-forwarded-for': address });
    expect(await statusFrom('198.51.100.9')).toBe(200);
    expect(await statusFrom('203.0.113.9')).toBe(403);
    await trusting.stop();
  });
});

it.each([
  ['nothing', {}, ['GUARD_URL: must be set', 'GUARD_TOKEN: must be set', 'SERVICE_TOKENS: must be set']],
  ['no URL', { GUARD_URL: 'keys' }, ['GUARD_URL: must be the address of the service']],
  ['a URL with a password', { GUARD_URL: 'http://u:p@keys' }, ['GUARD_URL: must not contain a user']],
  ['a named token', { GUARD_TOKEN: 'short' }, ['GUARD_TOKEN: must be a token']],
  ['all addresses', { GUARD_LISTEN: '0.0.0.0:8010' }, ['GUARD_LISTEN: must be a loopback address']],
  ['another machine', { GUARD_LISTEN: '10.0.0.1:8010' }, ['GUARD_LISTEN: must be a loopback address']],
  ['a name', { GUARD_LISTEN: 'localhost:8010' }, ['GUARD_LISTEN: must be a loopback address']],
  ['a relative socket', { GUARD_LISTEN: 'unix:guard.sock' }, ['GUARD_LISTEN: must be a loopback address']],
  ['numbers out of range', { STALE_IF_ERROR_SECONDS: '601', GUARD_CACHE_KEYS: '0' }, ['STALE_IF', 'GUARD_CACHE']],
  ['no route table', { ROUTE_TABLE: '/nowhere.json' }, ['ROUTE_TABLE: must be the path of a readable JSON file']],
])('does not start with %s, and says why', async (_, changes, problems) => {
  const given = Object.keys(changes).length > 0 ? sidecarVariables('http://127.0.0.1:1') : {};
  const { code, stderr } = await run(['dist/guard.js'], { ...given, ...changes });
  expect(code).toBe(78);
  for (const problem of problems) expect(stderr).toContain(problem);
});
