import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ApiKeysError, createClient, type Credentials, newIdempotencyKey } from '@w3ipfs/api-keys-client';
import { makeFolder, removeFolder } from './support/folders.js';
import { fullScopes } from './support/keys.js';
import { trackSecret } from './support/log.js';
import { useService } from './support/service.js';
import { signToken } from './support/sessions.js';

const execute = promisify(execFile);
const SERVICE_TOKEN = 'the-token-of-a-service-that-uses-the-client';
const service = useService({ SERVICE_TOKENS: `gallery:${SERVICE_TOKEN}` });
const clientOf = (credentials: Credentials) => {
  trackSecret(credentials);
  return createClient({ url: service.client.url, credentials });
};

it('lives with a key from its creation to its revocation', async () => {
  const session = clientOf(signToken({ sub: 'alice' }));
  const gallery = clientOf(SERVICE_TOKEN);

  const body = { name: 'gallery', scopes: fullScopes(['pinning.unpin']) };
  const creation = { body, headers: { 'Idempotency-Key': newIdempotencyKey() } };
  const { data: issued } = await session.createApiKey(creation);
  expect((await session.createApiKey(creation)).data).toEqual(issued);
  trackSecret(issued.secret_key);
  const path = { id: issued.id };

  const { data: page } = await session.listApiKeys({ query: { status: 'active', limit: 5 } });
  expect([page.total, page.api_keys.map(({ name }) => name)]).toEqual([1, ['gallery']]);

  const { data: read, headers } = await session.getApiKey({ path });
  expect(read).toMatchObject({ id: issued.id, status: 'active' });
  const match = { 'If-Match': headers.get('ETag') ?? '' };
  const patch = { body: { name: 'museum', limits: { max_uses: 10 } }, headers: match, path };
  expect((await session.updateApiKey(patch)).data).toMatchObject({ name: 'museum', limits: { max_uses: 10 } });
  await expect(session.updateApiKey(patch)).rejects.toMatchObject({ status: 412, code: 'precondition_failed' });

  const { data: rotated } = await session.rotateApiKey({ path, body: {} });
  trackSecret(rotated.secret_key);
  const pair = { api_key: issued.api_key, secret_key: rotated.secret_key };
  const { data: verdict } = await gallery.verifyApiKey({ body: { ...pair, scope: 'pinning.unpin' } });
  if (!verdict.valid) throw new Error(`the key is refused: ${verdict.code}`);
  expect(verdict).toMatchObject({ owner_id: 'alice', name: 'museum', remaining_uses: 9 });

  const itself = clientOf({ apiKey: pair.api_key, secretKey: pair.secret_key });
  expect((await itself.testAuthentication()).data).toMatchObject({ id: issued.id });
  expect((await itself.authorizeRequest({ query: { scope: 'pinning.unpin' } })).headers.get('X-W3IPFS-Owner')).toBe(
    'alice',
  );

  expect((await session.deleteApiKey({ path })).data).toEqual({ revoked: 1, complete: true });
  expect((await gallery.verifyApiKey({ body: pair })).data).toMatchObject({ valid: false, code: 'REVOKED' });
  await expect(itself.testAuthentication()).rejects.toMatchObject({ code: 'unauthenticated', reason: 'REVOKED' });
  const { data: trail } = await session.listEvents({ query: { action: 'key.revoked' } });
  expect(trail.events.map(({ api_key_id }) => api_key_id)).toEqual([issued.id]);
});

it('throws what the service refuses, with each problem', async () => {
  const body = { name: '', scopes: { admin: true as const }, limits: { max_uses: 0 } };
  const thrown = await clientOf(signToken())
    .createApiKey({ body })
    .catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(ApiKeysError);
  expect(thrown).toMatchObject({
    status: 400,
    code: 'validation_failed',
    details: [
      { path: 'name', message: expect.any(String) },
      { path: 'limits.max_uses', message: expect.any(String) },
    ],
    requestId: expect.any(String),
  });
});

it('lets a guard ask for changes', async () => {
  const guard = clientOf(SERVICE_TOKEN);
  const { data: begin } = await guard.listKeyChanges();
  const { data: next } = await guard.listKeyChanges({ query: { since: begin.position, wait_ms: 0 } });
  expect(next.epoch).toBe(begin.epoch);
});

it('gives the metrics as text', async () => {
  expect((await clientOf(SERVICE_TOKEN).readMetrics()).data).toContain('# HELP w3ipfs_');
});

it('works as its README begins, installed and built', async () => {
  const [, program = ''] = /```js\n([^]*?)```/.exec(readFileSync('packages/client/README.md', 'utf8')) ?? [];
  // Below the repository, where the package is installed
  const folder = makeFolder('test');
  try {
    const file = join(folder, 'program.mjs');
    writeFileSync(file, program);
    const env = { ...process.env, W3IPFS_URL: service.client.url, W3IPFS_SESSION: signToken({ sub: 'bob' }) };
    const { stdout } = await execute(process.execPath, [file], { env });
    expect(stdout).toMatch(/^w3k_\w+\n1 keys\nkey_not_found /);
  } finally {
    removeFolder(folder);
  }
});
