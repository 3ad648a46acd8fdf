import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { runConcurrently, range } from '../../test/support/at-once.js';
import { TestClock } from '../../test/support/clock.js';
import { itKeepsRateLimits } from '../../test/support/rate-limits.js';
import { HAS_REDIS_SERVER, RedisServer } from '../../test/support/redis-server.js';
import { until } from '../../test/support/until.js';
import { type Clock, SystemClock } from '../clock.js';
import { InProcessRateLimiter } from './in-process-rate-limiter.js';
import { RedisRateLimiter } from './redis-rate-limiter.js';

const url = process.env['TEST_REDIS_URL'];
const limit = { requests: 10, windowSeconds: 60 };
const opened: RedisRateLimiter[] = [];

if (!url) process.stdout.write('Skipped, since TEST_REDIS_URL is not set: rate limits over Redis\n');
if (!HAS_REDIS_SERVER) process.stdout.write('Skipped, since there is no redis-server: Redis outages\n');

async function open(settings: { url: string; prefix: string; clock?: Clock }): Promise<RedisRateLimiter> {
  const clock = settings.clock ?? new SystemClock();
  const limiter = new RedisRateLimiter(settings, new InProcessRateLimiter(clock), clock);
  opened.push(limiter);
  await limiter.open();
  return limiter;
}

afterEach(() => jest.restoreAllMocks());
afterAll(async () => {
  await Promise.all(opened.map((limiter) => limiter.close()));
});

(url ? describe : describe.skip)('over Redis', () => {
  const server = { url: url as string, prefix: `w3ipfs:test:${randomUUID()}:` };
  const clock = new TestClock();
  let admin: Redis;
  let limiter: RedisRateLimiter;
  beforeAll(async () => {
    admin = new Redis(server.url);
    limiter = await open({ ...server, clock });
  });
  afterAll(async () => {
    for await (const keys of admin.scanStream({ match: `${server.prefix}*` })) {
      if (keys.length > 0) await admin.del(keys as string[]);
    }
    admin.disconnect();
  });

  itKeepsRateLimits(() => ({ limiter, clock }), 60);

  it('counts for all processes together under concurrent calls', async () => {
    const processes = await Promise.all(range(3).map(() => open(server)));
    const key = randomUUID();
    let granted = 0;
    await runConcurrently(64, range(600), async (i) => {
      const decision = await processes[i % 3]?.take(key, { requests: 100, windowSeconds: 3_600 }, 1);
      if (decision?.granted) granted++;
    });
    expect(granted).toBe(100);
  });

  it('keeps no state for longer than the window and a slot', async () => {
    const key = randomUUID();
    await limiter.take(key, limit, 5);
    await (await limiter.take(key, limit, 5)).refund();
    const ttl = await admin.pttl(server.prefix + key);
    expect(ttl).toBeGreaterThan(55_000);
    expect(ttl).toBeLessThanOrEqual(60_600);
    await limiter.take(`${key} refused`, limit, 11);
    expect(await admin.exists(`${server.prefix}${key} refused`)).toBe(0);
  });

  it('uses the time of the server', async () => {
    const [one, key] = [await open(server), randomUUID()];
    const decision = await one.take(key, { requests: 1, windowSeconds: 1 }, 1);
    expect(decision).toMatchObject({ granted: true, resetSeconds: 1 });
    await until(async () => (await one.take(key, { requests: 1, windowSeconds: 1 }, 1)).granted, 'the window to pass');
  });

  it('loads the scripts again after a script flush', async () => {
    await admin.script('FLUSH');
    expect(await limiter.take(randomUUID(), limit, 1)).toMatchObject({ granted: true, remaining: 9 });
  });

  it('has made none of these decisions locally', () => {
    expect(limiter.fallbacks).toBe(0);
  });
});

(HAS_REDIS_SERVER ? describe : describe.skip)('while Redis is unavailable', () => {
  let server: RedisServer;
  let limiter: RedisRateLimiter;
  let log: string[];

  beforeEach(async () => {
    log = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((message: string) => void log.push(`warn ${message}`));
    jest.spyOn(Logger.prototype, 'log').mockImplementation((message: string) => void log.push(`log ${message}`));
    server = await RedisServer.start();
    limiter = await open({ url: server.url, prefix: 'rate:' });
  });
  afterEach(async () => {
    await limiter.close();
    await server.kill();
  });

  const isBack = () => until(() => limiter.isShared, 'Redis to be used again');

  /** The median duration of a thousand decisions, in milliseconds. */
  function median(): number {
    const times = range(1_000).map((i) => {
      const began = performance.now();
      if (limiter.take(`key ${i}`, limit, 1) instanceof Promise) throw new Error('the decision is asynchronous');
      return performance.now() - began;
    });
    return times.toSorted((one, other) => one - other)[500] as number;
  }

  it('decides locally at once, and in Redis again after a restart', async () => {
    expect(await limiter.take('key', limit, 10)).toMatchObject({ granted: true, remaining: 0 });
    await server.kill();
    await until(() => !limiter.isShared, 'the local fallback');
    expect((await limiter.take('another', limit, 10)).granted).toBe(true);
    expect((await limiter.take('another', limit, 1)).granted).toBe(false);
    expect(median()).toBeLessThan(5);
    expect(limiter.fallbacks).toBeGreaterThanOrEqual(1_002);
    await server.startAgain();
    await isBack();
    const { fallbacks } = limiter;
    // The last reports are restored to a server that comes back empty
    expect(await limiter.take('key', limit, 1)).toMatchObject({ granted: false, remaining: 0 });
    expect(await limiter.take('third', limit, 1)).toMatchObject({ granted: true, remaining: 9 });
    expect(limiter.fallbacks).toBe(fallbacks);
    expect(log.map((line) => line.split(/ \(|,/)[0])).toEqual([
      `warn Redis at 127.0.0.1:${server.port} is unavailable`,
      `log Redis at 127.0.0.1:${server.port} is available again`,
    ]);
  });

  it('waits for a hanging server only once and no longer than the timeout, and uses it again when it resumes', async () => {
    server.freeze();
    const began = performance.now();
    const decisions = await Promise.all(range(100).map(async () => limiter.take('key', limit, 1)));
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(decisions.filter(({ granted }) => granted)).toHaveLength(10);
    expect(median()).toBeLessThan(5);
    server.thaw();
    await isBack();
    expect(await limiter.take('other', limit, 1)).toMatchObject({ granted: true, remaining: 9 });
    expect(log.map((line) => line.split(/ \(|,/)[0])).toEqual([
      `warn Redis at 127.0.0.1:${server.port} is unavailable`,
      `log Redis at 127.0.0.1:${server.port} is available again`,
    ]);
  });

  it('replaces a hanging connection', async () => {
    server.freeze();
    await limiter.take('key', limit, 1);
    await server.kill();
    await server.startAgain();
    await isBack();
    // The first grant was reported over the new connection
    expect(await limiter.take('key', limit, 1)).toMatchObject({ granted: true, remaining: 8 });
  });

  it('does not use a server that cannot write until it can', async () => {
    const admin = new Redis(server.url);
    await admin.replicaof('127.0.0.1', '1');
    expect(await limiter.take('key', limit, 10)).toMatchObject({ granted: true, remaining: 0 });
    expect(limiter.isShared).toBe(false);
    await admin.replicaof('NO', 'ONE');
    await isBack();
    admin.disconnect();
  });

  it('starts without it', async () => {
    await server.kill();
    const late = await open({ url: server.url, prefix: 'rate:' });
    expect(late.isShared).toBe(false);
    expect(late.take('key', limit, 1)).toMatchObject({ granted: true });
    await server.startAgain();
    await until(() => late.isShared, 'Redis to be used');
    await late.close();
  });

  it('ignores a refund that fails', async () => {
    const decision = await limiter.take('key', limit, 1);
    await server.kill();
    await expect(decision.refund()).resolves.toBeUndefined();
  });
});
