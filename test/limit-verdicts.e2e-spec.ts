import type { Scope } from '../src/principals/scopes.js';
import { range } from './support/at-once.js';
import type { Answer } from './support/client.js';
import { TestClock } from './support/clock.js';
import { bodyWith, issueKey, type IssuedKey, pairHeaders } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { pairOf, serviceHeaders, serviceVariables, verify } from './support/verification.js';

const HOUR = 3_600_000;
const SLOT = 600;
const clock = new TestClock(Date.now());
const inHours = (hours: number) => new Date(clock.time + hours * HOUR).toISOString();

const service = useService({ ...serviceVariables, TRUSTED_PROXIES: '127.0.0.1' }, clock);

const issue = (limits: object, ...scopes: Scope[]) => issueKey(service.client, 'ann', bodyWith(scopes, { limits }));
const batch = async (requests: object[]): Promise<any[]> => {
  const answer = await service.client.post('/api/apiKeys/verify/batch', serviceHeaders, { requests });
  return answer.body.data.verdicts;
};
const authorize = (key: IssuedKey, query: string, headers = {}) =>
  service.client.get(`/api/apiKeys/authorize?${query}`, { ...pairHeaders(key), ...headers });
const list = (key: IssuedKey, headers = {}) =>
  service.client.get('/api/apiKeys/list', { ...pairHeaders(key), ...headers });
const usesOf = async ({ id }: IssuedKey): Promise<number> =>
  (await service.client.get(`/api/apiKeys/${id}`, sessionOf('ann'))).body.data.uses;
/** The remaining rate and uses of a key; asking is free. */
const left = async (key: IssuedKey) => {
  const { code, rate_limit, remaining_uses } = (await verify(service.client, key, { cost: 0 })).body.data;
  return [code, rate_limit?.remaining, remaining_uses];
};

interface Need {
  scope: Scope;
  ip?: string;
}

/** The answers to the client itself, by verdict. */
const ANSWERS: Record<string, [status: number, code: string]> = {
  INVALID_CREDENTIALS: [401, 'unauthenticated'],
  REVOKED: [401, 'unauthenticated'],
  NOT_YET_VALID: [401, 'unauthenticated'],
  EXPIRED: [401, 'unauthenticated'],
  IP_NOT_ALLOWED: [403, 'ip_not_allowed'],
  INSUFFICIENT_SCOPE: [403, 'insufficient_scope'],
  RATE_LIMITED: [429, 'rate_limited'],
  USAGE_EXCEEDED: [403, 'usage_exceeded'],
};

function verdictIn({ status, body }: Answer): string {
  if (status === 200) return 'VALID';
  const { code, reason } = body.error;
  const verdict = reason ?? code.toUpperCase();
  expect([verdict, status, code]).toEqual([verdict, ...(ANSWERS[verdict] ?? [])]);
  return verdict;
}

const from = ({ ip }: Need): Record<string, string> => (ip === undefined ? {} : { 'x-forwarded-for': ip });
const DOORS: Record<string, (key: IssuedKey, need: Need) => Promise<string>> = {
  'for a service': async (key, need) => (await verify(service.client, key, need)).body.data.code,
  'in a batch': async (key, need) => (await batch([{ ...pairOf(key), ...need }]))[0].code,
  'for a gateway': async (key, need) => {
    const answer = await authorize(key, `scope=${need.scope}`, from(need));
    expect(answer.headers['x-w3ipfs-code']).toBe(verdictIn(answer));
    return verdictIn(answer);
  },
  'for a gateway that handles only 403': async (key, need) => {
    const answer = await authorize(key, `deny=403&scope=${need.scope}`, from(need));
    const verdict = String(answer.headers['x-w3ipfs-code']);
    const [status = 200] = ANSWERS[verdict] ?? [];
    expect([verdict, answer.status]).toEqual([verdict, [200, 401].includes(status) ? status : 403]);
    return verdict;
  },
  'on our own endpoints': async (key, need) => verdictIn(await list(key, from(need))),
};

it.each(Object.entries(DOORS))('decides in the documented order %s, and refusals are free', async (name, ask) => {
  const limits = {
    not_before: inHours(1),
    expires_at: inHours(2),
    allowed_cidrs: ['192.0.2.0/24', '2001:db8::/32'],
    rate_limit: { requests: 1, window_seconds: 60 },
    max_uses: 1,
  };
  const scope = name === 'on our own endpoints' ? 'admin' : 'pinning.unpin';
  const key = await issue(limits, scope);
  const wrong = { ...key, secret_key: `${key.secret_key.slice(0, -1)}${key.secret_key.endsWith('0') ? '1' : '0'}` };
  const right: Need = { scope, ip: '192.0.2.7' };
  const lacking: Need = scope === 'admin' ? right : { ...right, scope: 'pinning.pin_by_hash' };
  const elsewhere: Need = { ...lacking, ip: '198.51.100.7' };
  const begun = clock.time;

  expect(await ask(wrong, elsewhere)).toBe('INVALID_CREDENTIALS');
  expect(await ask(key, elsewhere)).toBe('NOT_YET_VALID');
  clock.time = begun + HOUR - 1;
  expect(await ask(key, right)).toBe('NOT_YET_VALID');
  clock.time = begun + HOUR;
  expect(await ask(key, elsewhere)).toBe('IP_NOT_ALLOWED');
  expect(await ask(key, { ...elsewhere, ip: '2001:db9::1' })).toBe('IP_NOT_ALLOWED');
  if (lacking !== right) expect(await ask(key, lacking)).toBe('INSUFFICIENT_SCOPE');
  expect(await ask(key, { ...right, ip: '2001:db8::1' })).toBe('VALID');
  expect(await ask(key, right)).toBe('RATE_LIMITED');
  if (lacking !== right) expect(await ask(key, lacking)).toBe('INSUFFICIENT_SCOPE');
  clock.time += 60_000 + SLOT;
  expect(await ask(key, right)).toBe('USAGE_EXCEEDED');
  expect(await ask(key, right)).toBe('USAGE_EXCEEDED');
  expect(await ask(key, elsewhere)).toBe('IP_NOT_ALLOWED');
  clock.time = begun + 2 * HOUR - 1;
  expect(await ask(key, right)).toBe('USAGE_EXCEEDED');
  clock.time = begun + 2 * HOUR;
  expect(await ask(key, elsewhere)).toBe('EXPIRED');
  expect(await usesOf(key)).toBe(1);
  await service.client.delete(`/api/apiKeys/${key.id}`, sessionOf('ann'));
  expect(await ask(key, elsewhere)).toBe('REVOKED');
});

describe('an address', () => {
  it.each([
    ['192.0.2.255', 'VALID'],
    ['192.0.3.0', 'IP_NOT_ALLOWED'],
    ['::ffff:192.0.2.1', 'VALID'],
    ['2001:DB8::', 'VALID'],
    ['fe80::1%eth0', 'IP_NOT_ALLOWED'],
    [undefined, 'IP_NOT_ALLOWED'],
  ])('that a service sends is checked against the networks: %s', async (ip, code) => {
    const key = await issue({ allowed_cidrs: ['192.0.2.0/24', '2001:db8::/32'] });
    expect((await verify(service.client, key, { ip })).body.data).toMatchObject({ valid: code === 'VALID', code });
  });
});

describe('a cost', () => {
  it('counts against both the rate and the uses, and a refusal against neither', async () => {
    const key = await issue({ rate_limit: { requests: 10, window_seconds: 60 }, max_uses: 15 });
    const ask = async (cost: number) => {
      const { code, rate_limit, remaining_uses } = (await verify(service.client, key, { cost })).body.data;
      return [code, rate_limit, remaining_uses];
    };
    const rate = (remaining: number, reset_seconds = 60) => ({ limit: 10, remaining, reset_seconds });
    clock.time = Math.ceil(clock.time / SLOT) * SLOT;
    // It can never pass, so the client should not retry immediately
    expect(await ask(11)).toEqual(['RATE_LIMITED', rate(10), undefined]);
    expect(await ask(7)).toEqual(['VALID', rate(3), 8]);
    expect(await ask(4)).toEqual(['RATE_LIMITED', rate(3), undefined]);
    expect(await ask(0)).toEqual(['VALID', rate(3), 8]);
    clock.time += 60_000 + SLOT;
    expect(await ask(9)).toEqual(['USAGE_EXCEEDED', undefined, undefined]);
    expect(await ask(0)).toEqual(['VALID', rate(10, 0), 8]);
    expect(await ask(8)).toEqual(['VALID', rate(2), 0]);
    expect(await ask(1)).toEqual(['USAGE_EXCEEDED', undefined, undefined]);
    expect(await ask(1_000_000)).toEqual(['RATE_LIMITED', rate(2), undefined]);
    expect(await ask(0)).toEqual(['VALID', rate(2), 0]);
    expect(await usesOf(key)).toBe(15);
  });

  it('of 0 is no use', async () => {
    const key = await issue({ max_uses: 1 });
    expect(await left(key)).toEqual(['VALID', undefined, 1]);
    const { data } = (await service.client.get(`/api/apiKeys/${key.id}`, sessionOf('ann'))).body;
    expect(data).toMatchObject({ uses: 0, last_used_at: null, status: 'active' });
  });
});

it('shows when a limited key was last used', async () => {
  const key = await issue({ max_uses: 2 });
  await verify(service.client, key);
  const usedAt = new Date(clock.time).toISOString();
  const lastUsedAt = async () =>
    (await service.client.get(`/api/apiKeys/${key.id}`, sessionOf('ann'))).body.data.last_used_at;
  expect(await lastUsedAt()).toBe(usedAt);
  clock.time += 1_000;
  await verify(service.client, key, { cost: 2 });
  await verify(service.client, key, { cost: 0 });
  expect(await lastUsedAt()).toBe(usedAt);
});

describe('a batch', () => {
  const codes = (verdicts: { code: string }[]) => verdicts.map(({ code }) => code);

  it('grants exactly the remaining uses, in the order of its requests', async () => {
    const [limited, other] = [await issue({ max_uses: 3 }), await issue({})];
    const requests = range(12).map((i) => pairOf(i % 3 === 1 ? other : limited));
    const verdicts = await batch(requests);
    const grants = verdicts.filter((_, i) => i % 3 !== 1);
    expect(grants.map((one) => one.remaining_uses)).toEqual([2, 1, 0, ...range(5).map(() => undefined)]);
    expect(codes(grants)).toEqual([...range(3).map(() => 'VALID'), ...range(5).map(() => 'USAGE_EXCEEDED')]);
    expect(codes(verdicts.filter((_, i) => i % 3 === 1))).toEqual(range(4).map(() => 'VALID'));
    expect(await usesOf(limited)).toBe(3);
  });

  it.each([
    ['uses', { max_uses: 5 }, 'USAGE_EXCEEDED'],
    ['rate', { rate_limit: { requests: 5, window_seconds: 60 } }, 'RATE_LIMITED'],
    ['rate before the uses', { rate_limit: { requests: 5, window_seconds: 60 }, max_uses: 5 }, 'RATE_LIMITED'],
  ])('grants a smaller cost after refusing a larger one: %s', async (_, limits, refusal) => {
    const key = await issue(limits);
    const verdicts = await batch([3, 3, 2, 1, 0].map((cost) => Object.assign(pairOf(key), { cost })));
    expect(codes(verdicts)).toEqual(['VALID', refusal, 'VALID', refusal, 'VALID']);
  });

  it('never grants more than the remaining uses under concurrency', async () => {
    const key = await issue({ max_uses: 137 });
    const requests = range(50).map(() => pairOf(key));
    const verdicts = (await Promise.all(range(8).map(() => batch(requests)))).flat();
    const valid = verdicts.filter((one) => one.valid);
    expect(valid).toHaveLength(137);
    expect(valid.map((one) => one.remaining_uses).toSorted((a, b) => a - b)).toEqual(range(137));
    expect(await usesOf(key)).toBe(137);
  });
});

it('charges neither a use nor rate for testAuthentication, and allows it with nothing left', async () => {
  const key = await issue({ max_uses: 1, rate_limit: { requests: 1, window_seconds: 60 } });
  const test = () => service.client.get('/api/apiKeys/testAuthentication', pairHeaders(key));
  for (const _ of range(3)) expect((await test()).status).toBe(200);
  expect(await left(key)).toEqual(['VALID', 1, 1]);
  expect((await verify(service.client, key)).body.data.code).toBe('VALID');
  const answer = await test();
  expect([answer.status, answer.body.data.uses]).toEqual([200, 1]);
  expect(answer.headers).not.toHaveProperty('ratelimit');
});

describe('a call of our own endpoints with a key', () => {
  it('is one use, even if it fails', async () => {
    const key = await issue({ max_uses: 3 }, 'admin');
    expect((await list(key)).status).toBe(200);
    expect((await service.client.get('/api/apiKeys/nonsense', pairHeaders(key))).status).toBe(400);
    expect((await service.client.post('/api/apiKeys', pairHeaders(key), {})).status).toBe(400);
    expect(await usesOf(key)).toBe(3);
    expect(verdictIn(await list(key))).toBe('USAGE_EXCEEDED');
  });

  it('costs nothing if the key may not make it', async () => {
    const key = await issue({ max_uses: 1, rate_limit: { requests: 1, window_seconds: 60 } }, 'pinning.unpin');
    expect(verdictIn(await list(key))).toBe('INSUFFICIENT_SCOPE');
    expect(await left(key)).toEqual(['VALID', 1, 1]);
  });
});

it('is not charged for a route that no scope opens', async () => {
  const key = await issue({ max_uses: 1, rate_limit: { requests: 1, window_seconds: 60 } }, 'pinning.unpin');
  const closed = { 'x-original-method': 'GET', 'x-original-uri': '/api/users' };
  expect((await authorize(key, '', closed)).status).toBe(403);
  expect(await left(key)).toEqual(['VALID', 1, 1]);
});

describe('the headers about remaining limits', () => {
  const fields = ({ headers }: Answer) => [headers['ratelimit-policy'], headers['ratelimit'], headers['retry-after']];

  it('describe the key to a gateway', async () => {
    const key = await issue({ rate_limit: { requests: 2, window_seconds: 60 } }, 'pinning.unpin');
    const ask = async () => fields(await authorize(key, 'scope=pinning.unpin'));
    clock.time = Math.ceil(clock.time / SLOT) * SLOT;
    const policy = '"key";q=2;w=60';
    expect(await ask()).toEqual([policy, '"key";r=1;t=60', undefined]);
    clock.time += 10_000;
    expect(await ask()).toEqual([policy, '"key";r=0;t=60', undefined]);
    clock.time += 10_000;
    expect(await ask()).toEqual([policy, '"key";r=0;t=41', '41']);
    expect(fields(await authorize(key, 'deny=403&scope=pinning.unpin'))).toEqual([policy, '"key";r=0;t=41', '41']);
    clock.time += 41_000;
    expect(await ask()).toEqual([policy, expect.stringMatching(/^"key";r=0;t=60$/), undefined]);
  });

  it('describe all limits to our own clients', async () => {
    const key = await issue({ rate_limit: { requests: 1, window_seconds: 60 } }, 'admin');
    clock.time = Math.ceil(clock.time / SLOT) * SLOT;
    const policy = '"management";q=1000000;w=60, "owner";q=5000000;w=60, "key";q=1;w=60';
    const rates = /^"management";r=999999;t=60, "owner";r=49\d{5};t=60, "key";r=0;t=60$/;
    expect(fields(await list(key))).toEqual([policy, expect.stringMatching(rates), undefined]);
    expect(fields(await list(key))).toEqual([policy, expect.stringMatching(/"key";r=0;t=60$/), '60']);
  });

  it('are omitted without a limit', async () => {
    expect(fields(await authorize(await issue({ max_uses: 1 }, 'pinning.unpin'), 'scope=pinning.unpin'))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
