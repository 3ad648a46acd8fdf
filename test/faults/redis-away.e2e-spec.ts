import { Redis } from 'ioredis';
import { range } from '../support/at-once.js';
import { issueKey, powerlessBody } from '../support/keys.js';
import { HAS_REDIS_SERVER, RedisServer } from '../support/redis-server.js';
import { startService, type TestService } from '../support/service.js';
import { until } from '../support/until.js';
import { serviceHeaders, serviceVariables, verify } from '../support/verification.js';

const CALLS = 200;

if (!HAS_REDIS_SERVER) process.stdout.write('Left out, since there is no redis-server: Redis frozen and cut off\n');

(HAS_REDIS_SERVER ? describe : describe.skip)('while Redis', () => {
  let redis: RedisServer;
  let service: TestService;
  beforeAll(async () => {
    redis = await RedisServer.start();
    service = await startService({ ...serviceVariables, REDIS_URL: redis.url });
  });
  afterAll(async () => {
    await service.stop();
    await redis.kill();
  });

  const metric = async (name: string) => {
    const { text } = await service.client.get('/metrics', serviceHeaders);
    return Number(new RegExp(`^w3ipfs_keys_${name} (\\S+)$`, 'm').exec(text)?.[1]);
  };
  const isBack = async () => (await metric('redis_up')) === 1;
  const fallbacks = () => metric('rate_limiter_fallbacks_total{limiter="own"}');
  const missing = async () => {
    const { status, body } = await service.client.get('/health/ready');
    return status === 200 ? [] : body.error.details.map(({ path }: { path: string }) => path);
  };
  const print = async (what: string, before: number) =>
    process.stdout.write(`Redis ${what}: ${CALLS} calls, none refused, ${(await fallbacks()) - before} counted here\n`);

  /** As many calls as the key may make, one after the other: each of them waits for the one before. */
  async function callAll(): Promise<string[]> {
    const limits = { rate_limit: { requests: 1_000_000, window_seconds: 60 } };
    const key = await issueKey(service.client, 'ann', { ...powerlessBody, limits });
    const codes: string[] = [];
    for (const _ of range(CALLS)) codes.push((await verify(service.client, key)).body.data.code);
    return codes;
  }

  it('is frozen, calls are decided by the count of this process, and the service says so', async () => {
    const before = await fallbacks();
    redis.freeze();
    expect(new Set(await callAll())).toEqual(new Set(['VALID']));
    expect([await metric('redis_up'), await missing()]).toEqual([0, ['redis']]);
    // All but the first, which waited for Redis in vain and fell back too
    expect((await fallbacks()) - before).toBeGreaterThanOrEqual(CALLS);
    await print('frozen', before);
    redis.thaw();
    await until(isBack, 'Redis to be used again');
    expect(await missing()).toEqual([]);
  });

  it('cuts its connections again and again, no call fails', async () => {
    const before = await fallbacks();
    const cutter = new Redis(redis.url);
    const over = new AbortController();
    let cuts = 0;
    const cutting = (async () => {
      while (!over.signal.aborted)
        cuts += Number(await cutter.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
    })();
    const codes = await callAll();
    await until(() => cuts > 0, 'a connection to be cut');
    over.abort();
    await cutting;
    cutter.disconnect();
    expect(new Set(codes)).toEqual(new Set(['VALID']));
    await until(isBack, 'Redis to be used again');
    await print(`cut off ${cuts} times`, before);
  });
});
