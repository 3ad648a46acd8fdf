import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { pairHeaders } from './support/keys.js';
import { run, type ServiceProcess, startProcess } from './support/process.js';
import { accountService } from './support/sessions.js';
import { until } from './support/until.js';

const TEST = '/api/apiKeys/testAuthentication';

let database: TestDatabase;
let service: ServiceProcess | undefined;
beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
});
afterAll(async () => {
  await service?.stop('SIGKILL');
  await database.drop();
});

describe('npm run keys', () => {
  const keys = async (args: string[], more: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await run(['dist/cli.js', ...args], { ...database.variables, ...more });
    return { code, stderr, stdout, json: args.includes('--json') && code === 0 ? JSON.parse(stdout) : undefined };
  };

  it('migrates the schema once, and creates no embedded database for it', async () => {
    const first = await keys(['migrate', '--json']);
    if (onServer) expect(first.json.migrated).toContainEqual(expect.stringContaining('CreateApiKeys'));
    else expect(first).toMatchObject({ code: 78, stderr: expect.stringContaining('there is no database in') });
    service = await startProcess(database.variables);
    expect((await keys(['migrate', '--json'])).json).toEqual({ migrated: [] });
    expect((await keys(['migrate'])).stdout).toBe('The schema is up to date.\n');
  });

  it('issues, signs and revokes beside a running service', async () => {
    const { client } = service as ServiceProcess;
    const issuedKey = (await keys(['issue-admin', '--owner', 'ops', '--json'])).json;
    expect(issuedKey).toMatchObject({ owner_id: 'ops', api_key: expect.stringMatching(/^w3k_/) });
    expect((await client.get(TEST, pairHeaders(issuedKey))).body.data).toMatchObject({ owner_id: 'ops' });
    const authorization = `Bearer ${issuedKey.credential}`;
    expect((await client.get(TEST, { authorization })).body.data).toMatchObject({ owner_id: 'ops' });

    const { token } = (await keys(['session', '--owner', 'ops', '--json'])).json;
    const listed = await client.get('/api/apiKeys/list', { authorization: `Bearer ${token}` });
    expect(listed.body.data.total).toBe(1);

    const revocation = ['revoke', '--api-key', issuedKey.api_key, '--json'];
    expect((await keys(revocation)).json).toEqual({ api_key: issuedKey.api_key, status: 'revoked' });
    // Another process applies it within the bound; test/faults/revocation.e2e-spec.ts measures it
    const reason = async () => (await client.get(TEST, pairHeaders(issuedKey))).body.error?.reason;
    await until(async () => (await reason()) === 'REVOKED', 'the running service to refuse the key');
    expect(await keys(revocation)).toMatchObject({ code: 1, stdout: '' });
  });

  it('reads well without --json', async () => {
    const { stdout } = await keys(['issue-admin', '--owner', 'ops']);
    expect(stdout).toMatch(/^api_key {5}w3k_\w{20}$/m);
  });

  it('signs no session if the account service does', async () => {
    const { code, stderr } = await keys(['session', '--owner', 'x'], { JWT_PUBLIC_KEY: accountService.publicKey });
    expect(code).toBe(64);
    expect(stderr).toContain('account service');
  });

  it.each([
    ['isue-admin', 'Unknown command isue-admin; issue-admin was probably meant.\n'],
    [`w3s_${'a'.repeat(40)}`, 'Unknown command.\n'],
  ])('names an unknown command, unless it may be a secret: %s', async (name, said) => {
    const { code, stderr } = await keys([name]);
    expect([code, stderr.startsWith(said), stderr.includes('Usage:')]).toEqual([64, true, true]);
  });

  it.each([
    [[]],
    [['migrate', 'now']],
    [['constructor', '--json']],
    [['toString']],
    [['issue-admin']],
    [['issue-admin', '--owner', '']],
    [['revoke']],
    [['session', '--own', 'x']],
  ])('prints its usage: %j', async (args) => {
    const { code, stderr } = await keys(args);
    expect(code).toBe(64);
    expect(stderr).toMatch(/Usage|--owner <sub>|--api-key/);
  });
});
