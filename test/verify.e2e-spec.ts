import { jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { SCOPES } from '../src/principals/scopes.js';
import { SecretHasher } from '../src/api-keys/credentials/secret-hasher.js';
import { UnavailableError } from '../src/http/errors/api-error.js';
import { TimeoutError } from '../src/database/with-timeout.js';
import { UsageLimiter } from '../src/usage/usage-limiter.js';
import { InvalidationFeed } from '../src/verification/invalidation-feed.js';
import { KeyLoader } from '../src/verification/cache/key-loader.js';
import { SecretVerifier } from '../src/verification/secret-verifier.js';
import { runConcurrently, range } from './support/at-once.js';
import { bodyWith, fullScopes, issueKey, type IssuedKey, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { pairOf, serviceHeaders, serviceVariables } from './support/verification.js';

const VERIFY = '/api/apiKeys/verify';
const { authorization } = serviceHeaders;

let key: IssuedKey;
const onlyUnpin = bodyWith(['pinning.unpin'], { name: 'unpins' });

const service = useService(serviceVariables);
beforeAll(async () => {
  key = await issueKey(service.client, 'ann', onlyUnpin);
});

const verify = (body: unknown, path = VERIFY) => service.client.post(path, { authorization }, body);
const codeOf = async (body: unknown) => (await verify(body)).body.data.code;

describe('POST /api/apiKeys/verify', () => {
  it.each([VERIFY, `${VERIFY}/`])(
    'returns at %s the rights of a valid key, the first and the second time',
    async (path) => {
      for (const time of ['cold', 'known']) {
        const answer = await verify({ ...pairOf(key), scope: 'pinning.unpin', ip: '203.0.113.7', cost: 0 }, path);
        expect([time, answer.status, answer.body]).toEqual([
          time,
          200,
          {
            data: {
              valid: true,
              code: 'VALID',
              key_id: key.id,
              owner_id: 'ann',
              name: 'unpins',
              scopes: onlyUnpin.scopes,
              remaining_uses: null,
              rate_limit: null,
              expires_at: null,
            },
            status: 'success',
          },
        ]);
        expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-request-id': expect.any(String) });
      }
    },
  );

  it('returns the effective scopes of an admin key, which may do everything', async () => {
    const admin = await issueKey(service.client, 'ann', { name: 'short', scopes: { admin: true } });
    const answer = await verify({ ...pairOf(admin), scope: [...SCOPES] });
    expect(answer.body.data).toMatchObject({ code: 'VALID', scopes: fullScopes(['admin']) });
  });

  it('refuses with 200 and a code, without details of the key', async () => {
    const revoked = await issueKey(service.client, 'ann', powerlessBody);
    expect(await codeOf(pairOf(revoked))).toBe('VALID');
    await service.client.delete(`/api/apiKeys/${revoked.id}`, sessionOf('ann'));
    const refusals = {
      INVALID_CREDENTIALS: { ...pairOf(key), secret_key: `w3s_${'a'.repeat(40)}` },
      REVOKED: { ...pairOf(revoked), scope: 'admin' },
      INSUFFICIENT_SCOPE: { ...pairOf(key), scope: ['pinning.unpin', 'data.pin_list'] },
    };
    for (const [code, body] of Object.entries(refusals)) {
      const answer = await verify(body);
      expect([answer.status, answer.body]).toEqual([200, { data: { valid: false, code }, status: 'success' }]);
    }
    expect(await codeOf({ api_key: '', secret_key: '' })).toBe('INVALID_CREDENTIALS');
  });

  it.each([
    ['no token', {}],
    ['an unknown token', { authorization: `Bearer ${'x'.repeat(40)}` }],
    ['part of a token', { authorization: authorization.slice(0, -1) }],
    ['a token without its scheme', { authorization: authorization.replace('Bearer ', '') }],
    ['the session of an owner', sessionOf('ann')],
  ])('refuses callers with %s', async (_, headers) => {
    const answer = await service.client.post(VERIFY, headers, pairOf(key));
    expect(answer.status).toBe(401);
    expect(answer.body.error.code).toBe('unauthenticated');
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer /);
  });

  it.each([VERIFY, `${VERIFY}/batch`])('refuses two tokens at %s', async (path) => {
    const headers = { authorization: [authorization, authorization] };
    const answer = await service.client.post(path, headers, pairOf(key));
    expect(answer.status).toBe(400);
    expect(answer.body.error.code).toBe('ambiguous_credentials');
  });

  it.each([
    [{}, ['api_key', 'secret_key']],
    [{ api_key: 1, secret_key: null }, ['api_key', 'secret_key']],
    [{ scope: 'pinning' }, ['api_key', 'secret_key', 'scope']],
    [{ credential: 7 }, ['credential']],
    [{ credential: null }, ['credential']],
    [{ credential: {} }, ['credential']],
    [{ credential: 'a.b', api_key: 'a', secret_key: 'b' }, ['credential']],
    [{ credential: 'a.b', secret_key: 'b' }, ['credential']],
    [{ credential: 'a.b', scopes: ['pinning.unpin'] }, ['scopes']],
    [{ api_key: 'a', secret_key: 'b', scope: [] }, ['scope']],
    [{ api_key: 'a', secret_key: 'b', scope: ['admin', 7, 'x', 'pinning.unpin'] }, ['scope.1', 'scope.2']],
    [{ api_key: 'a', secret_key: 'b', scope: null }, ['scope']],
    [{ api_key: 'a', secret_key: 'b', ip: 'localhost' }, ['ip']],
    [{ api_key: 'a', secret_key: 'b', ip: null, cost: -1, more: 1 }, ['more', 'ip', 'cost']],
    [{ api_key: 'a', secret_key: 'b', cost: 1.5 }, ['cost']],
    [{ api_key: 'a', secret_key: 'b', cost: '1' }, ['cost']],
    [{ api_key: 'a', secret_key: 'b', cost: 1_000_001 }, ['cost']],
  ])('refuses %j by its paths', async (body, paths) => {
    const answer = await verify(body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.details.map(({ path }: { path: string }) => path)).toEqual(paths);
  });

  it.each([
    ['scopes', 'scope'],
    ['token', 'credential'],
    ['client_ip', 'ip'],
  ])('suggests the right name for %s', async (name, meant) => {
    const messages = [
      (await verify({ ...pairOf(key), [name]: 'x' })).body.error.details,
      (await verify({ requests: [{ ...pairOf(key), [name]: 'x' }] }, `${VERIFY}/batch`)).body.error.details,
    ];
    expect(messages).toEqual(
      ['', 'requests.0.'].map((at) => [
        { path: at + name, message: `is not a known property; ${at}${meant} was probably meant` },
      ]),
    );
  });

  it('suggests the scope for half of its name', async () => {
    const answer = await verify({ ...pairOf(key), scope: ['admin', 'pin_list'] });
    expect(answer.body.error.details).toEqual([
      { path: 'scope.1', message: expect.stringMatching(/like pinning\.unpin; data\.pin_list was probably meant$/) },
    ]);
  });

  it('behaves like every other route', async () => {
    expect((await verify('{"api_key"')).body.error.code).toBe('malformed_json');
    expect((await verify('[]')).body.error.code).toBe('validation_failed');
    expect((await verify('x'.repeat(70_000))).body.error.code).toBe('payload_too_large');
    const text = await service.client.post(VERIFY, { authorization, 'content-type': 'text/plain' }, 'x');
    expect(text.body.error.code).toBe('unsupported_media_type');
  });
});

describe('POST /api/apiKeys/verify/batch', () => {
  it('answers up to 100 requests in order', async () => {
    const wrong = { api_key: 'x', secret_key: 'y' };
    const right = { ...pairOf(key), scope: 'pinning.unpin' };
    const requests = range(100).map((index) => (index % 3 === 0 ? wrong : right));
    const answer = await verify({ requests }, `${VERIFY}/batch`);
    expect(answer.status).toBe(200);
    expect(answer.body.data.verdicts.map(({ valid }: { valid: boolean }) => valid)).toEqual(
      range(100).map((index) => index % 3 !== 0),
    );
  });

  it.each([
    [{ requests: [] }, ['requests']],
    [{ requests: range(101) }, ['requests']],
    [{ requests: {}, other: 1 }, ['other', 'requests']],
    [{}, ['requests']],
    [{ requests: [{ api_key: 'a', secret_key: 'b' }, 7] }, ['requests.1']],
    [{ requests: [null, [], {}] }, ['requests.0', 'requests.1', 'requests.2.api_key', 'requests.2.secret_key']],
    [{ requests: [{ credential: 'a.b', api_key: 'a' }] }, ['requests.0.credential']],
    [{ requests: [{ api_key: 'a', secret_key: 'b', x: 1 }] }, ['requests.0.x']],
  ])('refuses %j by its paths', async (body, paths) => {
    const answer = await verify(body, `${VERIFY}/batch`);
    expect(answer.status).toBe(400);
    expect(answer.body.error.details.map(({ path }: { path: string }) => path)).toEqual(paths);
  });
});

describe('a batch with one request that cannot be decided now', () => {
  const batchOf = async (keys: IssuedKey[]) => {
    const { status, body } = await verify({ requests: keys.map(pairOf) }, `${VERIFY}/batch`);
    return { status, verdicts: body.data.verdicts };
  };
  const issueLimited = (limits: object) => issueKey(service.client, 'ann', { ...powerlessBody, limits });
  afterEach(() => void jest.restoreAllMocks());

  it.each([
    ['the database is unavailable', () => new TimeoutError('no answer'), 2],
    ['too many keys are read', () => new UnavailableError('Too many.', { retryAfterSeconds: 1 }), 1],
  ])('still decides the others if %s', async (_, failure, seconds) => {
    const [cold, other] = [await issueLimited({}), await issueLimited({ max_uses: 5 })];
    const secretChecks = service.app.get(SecretVerifier, { strict: false });
    const check = secretChecks.match.bind(secretChecks);
    jest
      .spyOn(secretChecks, 'match')
      .mockImplementation((apiKey, secret) =>
        apiKey?.identifier === cold.api_key ? Promise.reject(failure()) : check(apiKey, secret),
      );
    const { status, verdicts } = await batchOf([cold, other, key, cold]);
    const undecided = { valid: false, code: 'UNAVAILABLE', retry_after_seconds: seconds };
    expect([status, verdicts[0], verdicts[3]]).toEqual([200, undecided, undecided]);
    expect([verdicts[1], verdicts[2]]).toMatchObject([{ code: 'VALID', remaining_uses: 4 }, { code: 'VALID' }]);
    jest.restoreAllMocks();
    expect((await batchOf([cold])).verdicts[0].code).toBe('VALID');
  });

  it('charges it nothing, neither a use nor rate', async () => {
    const limits = { max_uses: 5, rate_limit: { requests: 5, window_seconds: 60 } };
    const [one, other] = [await issueLimited(limits), await issueLimited(limits)];
    const meter = service.app.get(UsageLimiter, { strict: false });
    const spend = meter.consume.bind(meter);
    jest.spyOn(meter, 'consume').mockImplementation((id, cost) => {
      if (id === one.id) throw new UnavailableError('Too many uses are waiting.', { retryAfterSeconds: 3 });
      return spend(id, cost);
    });
    const { status, verdicts } = await batchOf([one, other]);
    expect([status, verdicts[0]]).toEqual([200, { valid: false, code: 'UNAVAILABLE', retry_after_seconds: 3 }]);
    expect(verdicts[1]).toMatchObject({ code: 'VALID', remaining_uses: 4, rate_limit: { remaining: 4 } });
    jest.restoreAllMocks();
    expect((await batchOf([one])).verdicts[0]).toMatchObject({ remaining_uses: 4, rate_limit: { remaining: 4 } });
  });
});

it('reads and hashes a key once for any number of concurrent requests', async () => {
  const cold = await issueKey(service.client, 'ann', powerlessBody);
  // A machine too busy to poll in time would read it repeatedly
  jest.spyOn(service.app.get(InvalidationFeed, { strict: false }), 'age', 'get').mockReturnValue(0);
  const read = jest.spyOn(service.app.get(KeyLoader, { strict: false }), 'find');
  const check = jest.spyOn(service.app.get(SecretVerifier, { strict: false }), 'match');
  const codes = new Set<string>();
  await runConcurrently(64, range(640), async () => void codes.add(await codeOf(pairOf(cold))));
  expect([...codes]).toEqual(['VALID']);
  expect([read.mock.calls.length, check.mock.calls.length]).toEqual([1, 1]);
  jest.restoreAllMocks();
});

it('revalidates a cached key if changes may have been missed, however slow the poll', async () => {
  const known = await issueKey(service.client, 'ann', powerlessBody);
  expect(await codeOf(pairOf(known))).toBe('VALID');
  // As another process would, without an invalidation that reaches this one
  const revoke = 'UPDATE api_keys SET revoked_at = now() WHERE id = $1';
  await service.app.get(DataSource).query(revoke, [known.id]);
  expect(await codeOf(pairOf(known))).toBe('VALID');
  jest.spyOn(service.app.get(InvalidationFeed, { strict: false }), 'age', 'get').mockReturnValue(1_000);
  expect(await codeOf(pairOf(known))).toBe('REVOKED');
  jest.restoreAllMocks();
});

it('never caches as valid a key revoked between being read and being hashed', async () => {
  const cold = await issueKey(service.client, 'ann', powerlessBody);
  const hasher = service.app.get(SecretHasher, { strict: false });
  const matches = hasher.matches.bind(hasher);
  const hashing = signal();
  const gate = signal();
  const held = jest.spyOn(hasher, 'matches').mockImplementation(async (...args) => {
    hashing.resolve();
    await gate.promise;
    return matches(...args);
  });

  const before = codeOf(pairOf(cold));
  await hashing.promise;
  expect((await service.client.delete(`/api/apiKeys/${cold.id}`, sessionOf('ann'))).status).toBe(200);
  const after = codeOf(pairOf(cold));
  gate.resolve();

  expect(await before).toBe('REVOKED');
  expect(await after).toBe('REVOKED');
  held.mockRestore();
  expect(await codeOf(pairOf(cold))).toBe('REVOKED');
});

function signal(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
