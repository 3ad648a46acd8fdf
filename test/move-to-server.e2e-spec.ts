import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { makeFolder, removeFolder } from './support/folders.js';
import { issued, issueKey, type IssuedKey, powerlessBody } from './support/keys.js';
import { run, sharedVariables, type ServiceProcess, startProcess } from './support/process.js';
import { sessionOf } from './support/sessions.js';
import { verify } from './support/verification.js';

if (!onServer) process.stdout.write('Skipped, since TEST_DATABASE_URL is not set: the move to a server\n');

(onServer ? describe : describe.skip)('the content of the embedded database', () => {
  let folder: string;
  let server: TestDatabase;
  let keys: Record<'plain' | 'counted' | 'rotated' | 'deleted', IssuedKey>;
  beforeAll(async () => {
    folder = makeFolder();
    server = await createTestDatabase();
    const embedded = await startProcess({ DATA_DIR: folder, ...sharedVariables });
    const issue = (limits = {}) => issueKey(embedded.client, 'ann', { ...powerlessBody, limits });
    const counted = { max_uses: 3, allowed_cidrs: ['192.0.2.0/24'], expires_at: '2099-01-01T00:00:00.001Z' };
    keys = { plain: await issue(), counted: await issue(counted), rotated: await issue(), deleted: await issue() };
    await verify(embedded.client, keys.counted, { ip: '192.0.2.1' });
    const at = (key: IssuedKey) => `/api/apiKeys/${key.id}`;
    const rotation = { overlap_seconds: 86_400 };
    issued(await embedded.client.post(`${at(keys.rotated)}/rotate`, sessionOf('ann'), rotation));
    await embedded.client.delete(at(keys.deleted), sessionOf('ann'));
    await embedded.stop();
  });
  afterAll(async () => {
    await server.drop();
    removeFolder(folder);
  });

  const keysCommand = (...args: string[]) => run(['dist/cli.js', ...args], { ...server.variables, ...sharedVariables });

  it('moves to a server by the commands of docs/operations.md: keys verify, trails are intact', async () => {
    for (const args of [['migrate'], ['import', '--from', folder], ['verify-audit']]) {
      expect(await keysCommand(...args)).toMatchObject({ code: 0 });
    }
    const service: ServiceProcess = await startProcess({ ...server.variables, ...sharedVariables });
    const verdictOn = async (key: IssuedKey, need = {}) => (await verify(service.client, key, need)).body.data;
    expect(await verdictOn(keys.plain)).toMatchObject({ code: 'VALID', owner_id: 'ann' });
    const counted = { code: 'VALID', remaining_uses: 1, expires_at: '2099-01-01T00:00:00.001Z' };
    expect(await verdictOn(keys.counted, { ip: '192.0.2.1' })).toMatchObject(counted);
    expect(await verdictOn(keys.counted, { ip: '198.51.100.1' })).toMatchObject({ code: 'IP_NOT_ALLOWED' });
    expect(await verdictOn(keys.rotated)).toMatchObject({ code: 'VALID' });
    expect(await verdictOn(keys.deleted)).toMatchObject({ code: 'REVOKED' });
    // Its owner's chain continues
    issued(await service.client.post('/api/apiKeys', sessionOf('ann'), powerlessBody));
    await service.stop();
    expect(await keysCommand('verify-audit')).toMatchObject({ code: 0 });
  });

  it('does not move into a database in use', async () => {
    const again = await keysCommand('import', '--from', folder);
    expect([again.code, again.stderr]).toEqual([64, expect.stringContaining('is not empty')]);
  });

  it('needs a server to move to', async () => {
    const nowhere = await run(['dist/cli.js', 'import', '--from', folder], { DATA_DIR: folder });
    expect([nowhere.code, nowhere.stderr]).toEqual([64, expect.stringContaining('DATABASE_URL')]);
  });
});
