import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { ApiKey } from '../src/api-keys/api-key.entity.js';
import { credentialKey, mintSecretKey } from '../src/api-keys/credentials/credentials.js';
import { UnknownSigners } from '../src/operations/lifecycle/unknown-signers.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { issued, issueKey, type IssuedKey } from './support/keys.js';
import { metricOf } from './support/metrics.js';
import { run } from './support/process.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceVariables, verify } from './support/verification.js';
import { CredentialKeyring } from '../src/api-keys/credentials/credential-keyring.js';

const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];
const [oldSigner, newSigner] = [oldKey, newKey].map((bytes) => credentialKey(bytes).fingerprint) as [string, string];
const ring = { CREDENTIAL_KEYS: [newKey, oldKey].map((bytes) => bytes.toString('base64')).join(',') };

let database: TestDatabase;
let service: TestService;
let keys: Record<'used' | 'unused' | 'rotated' | 'fresh', IssuedKey>;
beforeAll(async () => {
  database = await createTestDatabase();
  const before = await startService({ CREDENTIAL_KEYS: oldKey.toString('base64') }, database);
  const [used, unused, rotated] = [
    await issueKey(before.client, 'ann'),
    await issueKey(before.client, 'ben'),
    await issueKey(before.client, 'cay'),
  ];
  // As an older version that recorded no signers left them
  await before.app
    .get(DataSource)
    .query('UPDATE api_keys SET secret_signed_by = NULL WHERE id = ANY($1)', [[used.id, unused.id]]);
  await before.stop();
  service = await startService({ ...serviceVariables, ...ring }, database);
  keys = { used, unused, rotated, fresh: await issueKey(service.client, 'dan') };
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});

const recordOf = ({ id }: IssuedKey) => service.app.get(DataSource).getRepository(ApiKey).findOneByOrFail({ id });
const codeOf = async (pair: IssuedKey) => (await verify(service.client, pair)).body.data.code;

it('records which entry signed each new secret and the previous one', async () => {
  expect((await recordOf(keys.fresh)).secretSignedBy).toBe(newSigner);
  const answer = await service.client.post(`/api/apiKeys/${keys.rotated.id}/rotate`, sessionOf('cay'), {
    overlap_seconds: 3_600,
  });
  issued(answer);
  expect(await recordOf(keys.rotated)).toMatchObject({ secretSignedBy: newSigner, previousSecretSignedBy: oldSigner });
});

it('records it for an older secret when that verifies, and not for a wrong one', async () => {
  const forged = mintSecretKey(keys.unused.api_key, [credentialKey(newKey)]);
  expect(await codeOf({ ...keys.unused, secret_key: forged })).toBe('INVALID_CREDENTIALS');
  expect(await codeOf(keys.used)).toBe('VALID');
  const isWritten = ({ secretSignedBy, lastUsedAt }: ApiKey) => secretSignedBy !== null && lastUsedAt !== null;
  await until(async () => isWritten(await recordOf(keys.used)), 'the signer, and the use');
  expect((await recordOf(keys.used)).secretSignedBy).toBe(oldSigner);
  expect((await recordOf(keys.unused)).secretSignedBy).toBeNull();
});

it('reports in the metrics how many secrets each entry has signed', async () => {
  const count = (entry: string) => metricOf(service.client, `w3ipfs_keys_signed_secrets{entry="${entry}"}`);
  await until(async () => !Number.isNaN(await count(newSigner)), 'the count');
  expect([await count(newSigner), await count(oldSigner), await count('unknown')]).toEqual([2, 2, 1]);
});

it('lists for an operator the keys that still need the old entry', async () => {
  const signedBy = (...options: string[]) =>
    run(['dist/cli.js', 'signed-by', ...options], { ...database.variables, ...ring });
  const { code, stdout } = await signedBy();
  expect(code).toBe(0);
  expect(stdout.split('\n').map((line) => line.replace(/last used \S+/, 'last used'))).toEqual([
    `signers     entry 1 (signs), ${newSigner}: 2 secrets`,
    `            entry 2, ${oldSigner}: 2 secrets`,
    'unknown     1 secret',
    `others      ann, ${keys.used.api_key}, current secret: ${oldSigner}, last used`,
    `            ben, ${keys.unused.api_key}, current secret: unknown, never used`,
    `            cay, ${keys.rotated.api_key}, previous secret: ${oldSigner}, never used`,
    '',
  ]);
  expect(JSON.parse((await signedBy('--json')).stdout)).toMatchObject({
    signers: [
      { entry: 1, fingerprint: newSigner, secrets: 2 },
      { entry: 2, fingerprint: oldSigner, secrets: 2 },
    ],
    unknown: 1,
    others: [
      { owner_id: 'ann', api_key: keys.used.api_key, secret: 'current', signer: oldSigner },
      { owner_id: 'ben', signer: null, last_used_at: null },
      { owner_id: 'cay', secret: 'previous', signer: oldSigner },
    ],
  });
});

it('warns in the log of a process that lacks the entry that signed the newest keys', async () => {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  const check = (...entries: Buffer[]) =>
    new UnknownSigners(
      service.app.get(DataSource),
      new CredentialKeyring({ serverKeys: entries as never }),
    ).onApplicationBootstrap();
  await check(oldKey, newKey);
  expect(warn).not.toHaveBeenCalled();
  await check(oldKey);
  expect(warn.mock.calls).toEqual([
    [expect.stringContaining(`CREDENTIAL_KEYS lacks the entry ${newSigner} that signed 2 of the newest keys`)],
  ]);
  warn.mockRestore();
});
