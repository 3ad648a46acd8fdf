import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { ApiKey } from '../src/api-keys/api-key.entity.js';
import { credentialKey, mintSecretKey } from '../src/api-keys/credentials/credentials.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { startService, type TestService, useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';

const TEST = '/api/apiKeys/testAuthentication';
const serverKey = randomBytes(32);

let key: IssuedKey;
const service = useService({ CREDENTIAL_KEYS: serverKey.toString('base64') });
beforeAll(async () => {
  key = await issueKey(service.client, 'holder');
});

/** A wrong secret with a valid tag, as somebody with a stolen server key could make it. */
function forged(apiKey: string): Pick<IssuedKey, 'api_key' | 'secret_key'> {
  return { api_key: apiKey, secret_key: mintSecretKey(apiKey, [credentialKey(serverKey)]) };
}

it.each([
  ['as documented', (k: IssuedKey) => pairHeaders(k)],
  ['with hyphens', (k: IssuedKey) => ({ 'pinning-api-key': k.api_key, 'pinning-secret-key': k.secret_key })],
  ['in upper case', (k: IssuedKey) => ({ PINNING_API_KEY: k.api_key, 'PINNING-SECRET-KEY': k.secret_key })],
])('accepts the two headers %s', async (_, headers) => {
  expect((await service.client.get(TEST, headers(key))).status).toBe(200);
});

it.each([
  ['a made-up pair', () => ({ pinning_api_key: `w3k_${'a'.repeat(20)}`, pinning_secret_key: `w3s_${'a'.repeat(40)}` })],
  ['one character changed', (k: IssuedKey) => pairHeaders({ ...k, secret_key: flipped(k.secret_key) })],
  ['a genuine pair of a key that no longer exists', () => pairHeaders(forged(`w3k_${'x'.repeat(20)}`))],
  ['a genuine pair with another secret', (k: IssuedKey) => pairHeaders(forged(k.api_key))],
  ['more than was minted', (k: IssuedKey) => pairHeaders({ ...k, secret_key: `${k.secret_key}x` })],
])('refuses %s with the same message', async (_, headers) => {
  const answer = await service.client.get(TEST, headers(key));
  expect(answer.status).toBe(401);
  expect(answer.body.error).toEqual({
    code: 'unauthenticated',
    message: 'These credentials are not valid.',
    reason: 'INVALID_CREDENTIALS',
  });
});

it.each([
  ['a session and a pair', (k: IssuedKey) => ({ ...sessionOf('holder'), ...pairHeaders(k) })],
  ['a session and half a pair', (k: IssuedKey) => ({ ...sessionOf('holder'), pinning_secret_key: k.secret_key })],
  ['a header twice', (k: IssuedKey) => ({ ...pairHeaders(k), pinning_api_key: [k.api_key, k.api_key] })],
  ['both spellings', (k: IssuedKey) => ({ ...pairHeaders(k), 'pinning-api-key': k.api_key })],
])('refuses %s as ambiguous', async (_, headers) => {
  const answer = await service.client.call('GET', TEST, { headers: headers(key) });
  expect(answer.status).toBe(400);
  expect(answer.body.error.code).toBe('ambiguous_credentials');
});

it('lets only an admin key manage keys, and names the missing scope', async () => {
  const powerless = pairHeaders(await issueKey(service.client, 'holder', powerlessBody));
  const answers = [
    await service.client.post('/api/apiKeys', powerless, powerlessBody),
    await service.client.get('/api/apiKeys/list', powerless),
    await service.client.get(`/api/apiKeys/${key.id}`, powerless),
    await service.client.delete(`/api/apiKeys/${key.id}`, powerless),
  ];
  for (const answer of answers) {
    expect(answer.status).toBe(403);
    expect(answer.body.error).toEqual({ code: 'insufficient_scope', message: 'This API key lacks the scope admin.' });
  }
});

it('authenticates before it validates the body', async () => {
  expect((await service.client.post('/api/apiKeys', {}, { name: 1 })).status).toBe(401);
});

it('keeps an argon2id hash of the secret, and the secret nowhere', async () => {
  const row = await recordOf(service, key);
  expect(row.secretHash).toMatch(/^\$argon2id\$v=19\$m=1024,t=1,p=1\$/);
  expect(JSON.stringify(row)).not.toContain(key.secret_key.slice(4, 34));
});

describe('over several starts', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  async function during<T>(variables: Record<string, string>, run: (running: TestService) => Promise<T>): Promise<T> {
    const running = await startService(variables, database);
    try {
      return await run(running);
    } finally {
      await running.stop();
    }
  }
  const test = (pair: IssuedKey) => async (running: TestService) =>
    (await running.client.get(TEST, pairHeaders(pair))).status;

  it('accepts pairs signed by any server key of the ring, signs with the first, and refuses those of a removed one', async () => {
    const [oldKey, newKey] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
    const issue = ({ client }: TestService) => issueKey(client, 'holder');
    const old = await during({ CREDENTIAL_KEYS: oldKey }, issue);
    const fresh = await during({ CREDENTIAL_KEYS: `${newKey},${oldKey}` }, async (running) => {
      expect(await test(old)(running)).toBe(200);
      return issue(running);
    });
    await during({ CREDENTIAL_KEYS: newKey }, async (running) => {
      expect(await test(old)(running)).toBe(401);
      expect(await test(fresh)(running)).toBe(200);
    });
  });

  describe('of which the last has slow hashes', () => {
    let pair: IssuedKey;
    let slow: TestService;
    beforeAll(async () => {
      const server = { CREDENTIAL_KEYS: serverKey.toString('base64') };
      pair = await during(server, ({ client }) => issueKey(client, 'holder'));
      // Each hash takes some 20 ms here, so that an answer without one would stand out
      slow = await startService({ ...server, ARGON2_MEMORY_KIB: '19456', ARGON2_PASSES: '2' }, database);
    });
    afterAll(() => slow.stop());

    it('replaces a hash with other parameters when its secret next verifies, and not for a wrong one', async () => {
      await slow.client.get(TEST, pairHeaders(forged(pair.api_key)));
      expect((await recordOf(slow, pair)).secretHash).toContain('$m=1024,t=1,p=1$');
      expect(await test(pair)(slow)).toBe(200);
      expect((await recordOf(slow, pair)).secretHash).toContain('$m=19456,t=2,p=1$');
      expect(await test(pair)(slow)).toBe(200);
    });

    it('takes as long for an unknown key as for a wrong secret', async () => {
      const { api_key } = await issueKey(slow.client, 'holder');
      const times: Record<'unknown' | 'wrong', number[]> = { unknown: [], wrong: [] };
      for (let round = 0; round < 25; round++) {
        for (const [name, apiKey] of Object.entries({ unknown: `w3k_${'y'.repeat(20)}`, wrong: api_key })) {
          const headers = pairHeaders(forged(apiKey));
          times[name as keyof typeof times].push(await elapsed(() => slow.client.get(TEST, headers)));
        }
      }
      const ratio = median(times.unknown) / median(times.wrong);
      expect(ratio).toBeGreaterThan(0.5);
      expect(ratio).toBeLessThan(2);
    });
  });
});

function recordOf({ app }: TestService, { api_key: apiKey }: IssuedKey): Promise<ApiKey> {
  return app.get(DataSource).getRepository(ApiKey).findOneByOrFail({ identifier: apiKey });
}

function flipped(secret: string): string {
  return secret.slice(0, 20) + (secret[20] === 'a' ? 'b' : 'a') + secret.slice(21);
}

async function elapsed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
