import { ApiKey, NEW_KEY } from '../../api-keys/api-key.entity.js';
import { keyAnswer } from '../../gateway/gateway-answer.js';
import { NO_CHARGE } from '../../limits/quota.js';
import { range } from '../../../test/support/at-once.js';
import { TestClock } from '../../../test/support/clock.js';
import { heldMemory } from '../../../test/support/held-memory.js';
import { CachedKey, digestOf, type SecretKind } from './cached-key.js';
import { KeyCache } from './key-cache.js';
import { verdictJson } from '../verdict-json.js';

const MEGABYTE = 1_048_576;
const secretOf = (i: number) => `w3s_${String(i).padStart(40, '0')}`;
const pairOf = (i: number) => ({ apiKey: identifierOf(i), secretKey: secretOf(i) });
const identifierOf = (i: number) => `w3k_${String(i).padStart(20, '0')}`;

/** A row as the driver returns it, with its own strings. */
function rowOf(i: number, columns: Partial<ApiKey> = {}): ApiKey {
  const text = {
    id: `0199c0de-0000-7000-8000-${String(i).padStart(12, '0')}`,
    ownerId: `0714f35b-08aa-4c2b-9df4-${String(i % 10).padStart(12, '0')}`,
    name: `key ${i}`,
    identifier: identifierOf(i),
    secretHash: `$argon2id$v=19$m=1024,t=1,p=1$${String(i).padStart(22, 'a')}$${'b'.repeat(43)}`,
    scopes: { admin: false, data: { pin_list: true } },
    metadata: { note: 'x'.repeat(4_000) },
  };
  const none = { notBefore: null, expiresAt: null, maxUses: null, allowedCidrs: null };
  return Object.assign(
    new ApiKey(),
    { ...NEW_KEY, ...none, rateLimitRequests: null, rateLimitWindowSeconds: null },
    {
      ...(JSON.parse(JSON.stringify(text)) as typeof text),
      ...columns,
    },
  );
}

const cachedKey = (i: number, columns?: Partial<ApiKey>, secretKind?: SecretKind) =>
  new CachedKey(rowOf(i, columns), digestOf(secretOf(i)), secretKind);

/** Memoizes everything that is ever memoized for a key. */
function answerAbout(key: CachedKey): void {
  const verdict = { valid: true, code: 'VALID', key, charge: NO_CHARGE } as const;
  // Searching a concatenated string flattens it
  if (verdictJson(verdict).includes('\n')) throw new Error('not one line');
  key.memoize(keyAnswer);
}

const networks = (i: number, write: (i: number, j: number) => string) => range(64).map((j) => write(i, j));
const ipv4 = (i: number, j: number) => `10.${i >> 8}.${i & 255}.${j}/32`;
const ipv6 = (i: number, j: number) => `2001:db8:${i.toString(16)}:${(j + 1).toString(16)}:1:1:1:1/128`;

describe.each<[string, (i: number) => Partial<ApiKey>, maxBytes: number]>([
  ['plain keys', () => ({}), 1_300],
  [
    'keys with times and a rate',
    (i) => ({
      notBefore: new Date(1),
      expiresAt: new Date(9e12 + i),
      rateLimitRequests: 1 + i,
      rateLimitWindowSeconds: 60,
    }),
    1_500,
  ],
  ['keys with 64 networks of IPv4', (i) => ({ allowedCidrs: networks(i, ipv4) }), 1_700],
  ['keys with 64 networks of IPv6', (i) => ({ allowedCidrs: networks(i, ipv6) }), 2_500],
  [
    'keys with names beyond Latin-1',
    (i) => ({ name: `${'鍵'.repeat(90)}${i}`, ownerId: `${'主'.repeat(200)}${i}` }),
    4_500,
  ],
])('%s', (kind, columns, maxBytes) => {
  it('take the heap that the cache accounts for, with and without memoized answers', async () => {
    const keys = 3_000;
    range(500).forEach((i) => answerAbout(cachedKey(i, columns(i))));
    const before = await heldMemory();
    const cache = new KeyCache({ keys, bytes: 1_000 * MEGABYTE }, new TestClock());
    range(keys).forEach((i) => cache.put(cachedKey(i, columns(i)), cache.epoch));
    const alone = (await heldMemory()) - before;
    for (const i of range(keys)) answerAbout(cache.get(pairOf(i)) as CachedKey);
    const memoized = (await heldMemory()) - before;
    const perKey = [alone, memoized, cache.bytes].map((bytes) => Math.round(bytes / keys));
    process.stdout.write(
      `${kind}: ${perKey[0]} bytes of heap each, ${perKey[1]} with memoized answers, accounted ${perKey[2]}\n`,
    );
    expect(cache.size).toBe(keys);
    expect(cache.bytes / memoized).toBeGreaterThan(0.85);
    expect(cache.bytes / memoized).toBeLessThan(1.5);
    expect(cache.bytes / keys).toBeLessThan(maxBytes);
  });
});

it('takes at most its bytes by its own account, and little more of the heap, whatever the keys are', async () => {
  const kinds = [() => ({}), (i: number) => ({ allowedCidrs: networks(i, ipv6) }), (i: number) => ({ name: `鍵${i}` })];
  range(500).forEach((i) => answerAbout(cachedKey(i)));
  const before = await heldMemory();
  const cache = new KeyCache({ keys: 100_000, bytes: MEGABYTE }, new TestClock());
  for (const i of range(4_000)) {
    const key = cachedKey(i, kinds[i % kinds.length]?.(i), i % 5 === 0 ? 'previous' : 'current');
    cache.put(key, cache.epoch);
    answerAbout(key);
    expect(cache.bytes).toBeLessThanOrEqual(MEGABYTE);
  }
  const taken = (await heldMemory()) - before;
  process.stdout.write(`a cache of 1 MiB with ${cache.size} keys takes ${taken} bytes, accounted ${cache.bytes}\n`);
  expect(cache.size).toBeGreaterThan(400);
  expect(cache.bytes / taken).toBeGreaterThan(0.7);
});

it('evicts the least recently used keys over its number of keys', () => {
  const cache = new KeyCache({ keys: 2, bytes: MEGABYTE }, new TestClock());
  for (const i of [0, 1]) cache.put(cachedKey(i), cache.epoch);
  cache.get(pairOf(0));
  cache.put(cachedKey(2), cache.epoch);
  expect([0, 1, 2].map((i) => cache.get(pairOf(i)) !== undefined)).toEqual([true, false, true]);
});

it('shares equal networks between keys', () => {
  const [one, other] = [1, 2].map((i) => cachedKey(i, { allowedCidrs: networks(7, ipv6) }));
  expect(one?.networks).toBe(other?.networks);
  expect(one?.limits.allowedCidrs).toEqual(rowOf(1, { allowedCidrs: networks(7, ipv6) }).allowedCidrs);
});

it('caches a key by both of its secrets during the overlap, and invalidates both at once', () => {
  const clock = new TestClock();
  const cache = new KeyCache({ keys: 10, bytes: MEGABYTE }, clock);
  const previousSecretExpiresAt = new Date(clock.time + 1_000);
  const [current, previous] = [secretOf(1), secretOf(2)];
  cache.put(new CachedKey(rowOf(1), digestOf(current)), cache.epoch);
  cache.put(
    new CachedKey(rowOf(1, { previousSecretHash: 'former', previousSecretExpiresAt }), digestOf(previous), 'previous'),
    cache.epoch,
  );
  const found = () =>
    [current, previous, secretOf(3)].map((secretKey) => cache.get({ ...pairOf(1), secretKey })?.secretKind);
  expect(found()).toEqual(['current', 'previous', undefined]);
  clock.time += 1_000;
  expect(found()).toEqual(['current', undefined, undefined]);
  clock.time -= 1_000;
  cache.invalidate([identifierOf(1)]);
  expect(found()).toEqual([undefined, undefined, undefined]);
});

it('revalidates a key after at most ten minutes even if no change was reported', () => {
  const clock = new TestClock();
  const cache = new KeyCache({ keys: 1_000, bytes: 10 * MEGABYTE }, clock);
  const keys = range(1_000).map((i) => cachedKey(i));
  keys.forEach((key) => cache.put(key, cache.epoch));
  const due = () => keys.filter((key) => cache.isDue(key)).length;
  clock.time += 470_000;
  expect(due()).toBe(0);
  clock.time += 70_000;
  // Not all at the same moment
  expect(due()).toBeGreaterThan(300);
  expect(due()).toBeLessThan(700);
  clock.time += 60_000;
  expect(due()).toBe(1_000);
});

it('refreshes a key only while the stored hash of its secret is unchanged', () => {
  const key = cachedKey(1);
  expect(key.refreshedFrom(rowOf(1, { name: 'renamed' }))).toMatchObject({
    name: 'renamed',
    secretDigest: key.secretDigest,
  });
  expect(key.refreshedFrom(rowOf(1, { secretHash: 'another' }))).toBeUndefined();
  expect(cachedKey(1, { previousSecretHash: 'former' }, 'previous').refreshedFrom(rowOf(1))).toBeUndefined();
});

it('starts an epoch in which earlier keys are no longer current, and no pair is rejected', () => {
  const cache = new KeyCache({ keys: 10, bytes: MEGABYTE }, new TestClock());
  const key = cachedKey(1);
  cache.put(key, cache.epoch);
  cache.reject('a pair');
  expect([cache.isCurrent(key), cache.isRejected('a pair'), cache.isRejected('another')]).toEqual([true, true, false]);
  cache.startEpoch(false);
  expect([cache.isCurrent(key), cache.isRejected('a pair'), cache.epoch, cache.serverEpoch]).toEqual([
    false,
    false,
    1,
    0,
  ]);
  expect(cache.get(pairOf(1))).toBe(key);
  cache.startEpoch(true);
  expect([cache.epoch, cache.serverEpoch]).toEqual([2, 2]);
});

it('calls a key current only until it is invalidated or replaced', () => {
  const cache = new KeyCache({ keys: 10, bytes: MEGABYTE }, new TestClock());
  const [key, newer] = [cachedKey(1), cachedKey(1, { name: 'renamed' })];
  cache.put(key, cache.epoch);
  cache.put(newer, cache.epoch);
  expect([cache.isCurrent(key), cache.isCurrent(newer)]).toEqual([false, true]);
  cache.invalidate([identifierOf(1)]);
  expect(cache.isCurrent(newer)).toBe(false);
});

it('puts a key into the epoch in which its read began', () => {
  const cache = new KeyCache({ keys: 10, bytes: MEGABYTE }, new TestClock());
  const key = cachedKey(1);
  cache.startEpoch(false);
  cache.put(key, 0);
  expect([key.epoch, cache.isCurrent(key)]).toEqual([0, false]);
});
