import { DataSource } from 'typeorm';
import { range } from './support/at-once.js';
import type { Client } from './support/client.js';
import { clockAhead } from './support/clock.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { type IssuedKey, issueKey, powerlessBody } from './support/keys.js';
import { metricOf } from './support/metrics.js';
import { type ServiceProcess, sharedVariables, startProcess } from './support/process.js';
import { startService } from './support/service.js';
import { cheapHashes, storeKeys } from './support/stored-keys.js';
import { until } from './support/until.js';
import { serviceHeaders, serviceVariables, verify } from './support/verification.js';

const KEYS = 4_675;
/** Several times as many as fit into 1 MB of cache. */
const MORE_THAN_CACHED = 1_500;
const AT_ONCE = 25;
const MEBIBYTE = 1_048_576;

/** Verifies all of them in batches, retrying after 503. @returns how many were valid */
async function verifyAll(client: Client, keys: IssuedKey[]): Promise<number> {
  let valid = 0;
  for (let first = 0; first < keys.length; first += AT_ONCE) {
    const requests = keys
      .slice(first, first + AT_ONCE)
      .map(({ api_key, secret_key }) => ({ api_key, secret_key, ip: '10.9.0.1' }));
    await until(async () => {
      const { status, body } = await client.post('/api/apiKeys/verify/batch', serviceHeaders, { requests });
      if (status !== 503)
        valid += (body.data.verdicts as { code: string }[]).filter(({ code }) => code === 'VALID').length;
      return status !== 503;
    }, 'verdicts');
  }
  return valid;
}

describe('4,675 keys of one owner, each with 64 networks and 4 KiB of metadata', () => {
  let database: TestDatabase;
  let keys: IssuedKey[];
  beforeAll(async () => {
    database = await createTestDatabase();
    const service = await startService(sharedVariables, database);
    const serverKey = Buffer.from(sharedVariables.CREDENTIAL_KEYS, 'base64');
    keys = await storeKeys(service, serverKey, KEYS, {
      allowedCidrs: [...range(63).map((i) => `2001:db8:${i + 1}::/48`), '10.9.0.0/16'],
      metadata: { note: 'x'.repeat(4_000) },
    });
    await service.stop();
  }, 120_000);
  afterAll(() => database.drop());

  async function withProcess(more: Record<string, string>, use: (service: ServiceProcess) => Promise<void>) {
    const service = await startProcess({ ...database.variables, ...sharedVariables, ...cheapHashes, ...more });
    try {
      await use(service);
    } finally {
      await service.stop();
    }
  }

  it('fit into a process with 256 MB of heap, without filling it', async () => {
    await withProcess({ NODE_OPTIONS: '--max-old-space-size=256' }, async ({ client }) => {
      const heap = () => metricOf(client, 'nodejs_heap_size_used_bytes');
      const cache = () => metricOf(client, 'w3ipfs_keys_known_keys_bytes');
      const [before, empty] = [await heap(), await cache()];
      for (const _ of range(2)) expect(await verifyAll(client, keys)).toBe(KEYS);
      const [known, bytes, after] = [
        await metricOf(client, 'w3ipfs_keys_known_keys'),
        (await cache()) - empty,
        await heap(),
      ];
      process.stdout.write(
        `${known} keys: ${Math.round(bytes / known)} bytes each; heap ${before} before, ${after} after\n`,
      );
      expect(known).toBe(KEYS);
      expect(bytes / known).toBeLessThan(2_500);
      expect(after - before).toBeLessThan(60 * MEBIBYTE);
    });
  }, 180_000);

  it('are cached up to VERIFICATION_CACHE_MB, and all verified', async () => {
    await withProcess({ VERIFICATION_CACHE_MB: '1' }, async ({ client }) => {
      for (const _ of range(2)) {
        expect(await verifyAll(client, keys.slice(0, MORE_THAN_CACHED))).toBe(MORE_THAN_CACHED);
        expect(await metricOf(client, 'w3ipfs_keys_known_keys_bytes')).toBeLessThanOrEqual(MEBIBYTE);
        const cached = await metricOf(client, 'w3ipfs_keys_known_keys');
        expect(cached).toBeGreaterThan(100);
        expect(cached).toBeLessThan(MORE_THAN_CACHED / 2);
      }
    });
  }, 180_000);
});

it('enforces the rate limit of a key, however many other keys are used within its window', async () => {
  const service = await startService({ ...serviceVariables, VERIFICATION_CACHE_KEYS: '5' });
  try {
    const issue = () =>
      issueKey(service.client, 'ann', {
        ...powerlessBody,
        limits: { rate_limit: { requests: 5, window_seconds: 86_400 } },
      });
    const keys = await Promise.all(range(20).map(issue));
    const codes: string[] = [];
    for (const _ of range(8)) for (const key of keys) codes.push((await verify(service.client, key)).body.data.code);
    expect(codes.filter((code) => code === 'VALID')).toHaveLength(5 * keys.length);
    expect(new Set(codes.slice(-keys.length))).toEqual(new Set(['RATE_LIMITED']));
  } finally {
    await service.stop();
  }
});

it('reads a key again within ten minutes, even without an invalidation', async () => {
  const clock = clockAhead();
  const service = await startService(serviceVariables, undefined, clock);
  try {
    const key = await issueKey(service.client, 'ann', powerlessBody);
    const code = async () => (await verify(service.client, key)).body.data.code;
    expect(await code()).toBe('VALID');
    await service.app.get(DataSource).query('UPDATE api_keys SET enabled = false WHERE id = $1', [key.id]);
    expect(await code()).toBe('VALID');
    clock.time += 600_000;
    expect(await code()).toBe('DISABLED');
    await service.app.get(DataSource).query('UPDATE api_keys SET enabled = true WHERE id = $1', [key.id]);
    // The record read again is cached in its turn, without another hash
    expect(await code()).toBe('DISABLED');
    clock.time += 600_000;
    expect(await code()).toBe('VALID');
    expect(await metricOf(service.client, 'w3ipfs_keys_key_lookups_total{result="read"}')).toBe(1);
    await service.app.get(DataSource).query('DELETE FROM api_keys WHERE id = $1', [key.id]);
    clock.time += 600_000;
    expect(await code()).toBe('INVALID_CREDENTIALS');
  } finally {
    await service.stop();
  }
});
