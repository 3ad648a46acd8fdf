import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { range } from '../../test/support/at-once.js';
import { HAS_REDIS_SERVER, RedisServer } from '../../test/support/redis-server.js';
import { until } from '../../test/support/until.js';
import { SystemClock } from '../clock.js';
import { InProcessRateLimiter } from './in-process-rate-limiter.js';
import { RedisRateLimiter } from './redis-rate-limiter.js';

const limit = { requests: 10, windowSeconds: 3_600 };
/** The share that each of three processes may grant locally. */
const SHARE = 3;

if (!HAS_REDIS_SERVER) process.stdout.write('Skipped, since there is no redis-server: limits while Redis stalls\n');

(HAS_REDIS_SERVER ? describe : describe.skip)('three processes whose Redis stalls', () => {
  let server: RedisServer;
  let limiters: RedisRateLimiter[];

  beforeEach(async () => {
    for (const level of ['warn', 'log'] as const) jest.spyOn(Logger.prototype, level).mockImplementation(() => {});
    server = await RedisServer.start();
    const clock = new SystemClock();
    limiters = range(3).map(() => new RedisRateLimiter({ url: server.url }, new InProcessRateLimiter(clock), clock));
    for (const limiter of limiters) await limiter.open();
    // Trigger the next heartbeat, by which each learns of the others
    for (const limiter of limiters) limiter['catchUp']['beat'](limiter['connection']);
    await until(() => limiters.every(({ processCount }) => processCount === 3), 'all to know each other');
  });
  afterEach(async () => {
    server.thaw();
    await Promise.all(limiters.map((limiter) => limiter.close()));
    await server.kill();
    jest.restoreAllMocks();
  });

  /** Calls each process in turn, `times` times. @returns the number of calls that each granted */
  async function ask(key: string, times: number, some = limiters): Promise<number[]> {
    const granted = some.map(() => 0);
    for (const _ of range(times)) {
      for (const [i, limiter] of some.entries()) {
        if ((await limiter.take(key, limit, 1)).granted) granted[i]!++;
      }
    }
    return granted;
  }

  const sum = (numbers: number[]) => numbers.reduce((one, other) => one + other, 0);
  const areBack = () => until(() => limiters.every(({ isShared }) => isShared), 'Redis to be used again');

  it('grant no more than the limit if Redis reported to each of them that it was reached', async () => {
    expect(sum(await ask('key:spent', 5))).toBe(10);
    server.freeze();
    expect(await ask('key:spent', 10)).toEqual([0, 0, 0]);
  });

  it('grant no more than was left at the last report of Redis', async () => {
    expect(sum(await ask('key:half', 2))).toBe(6);
    server.freeze();
    expect(sum(await ask('key:half', 10))).toBe(4);
  });

  it('exceed the limit by less than a share each if the last reports of some are outdated', async () => {
    expect(sum(await ask('key:uneven', 1))).toBe(3);
    expect(await ask('key:uneven', 7, limiters.slice(2))).toEqual([7]);
    server.freeze();
    const [one = 0, other = 0, last] = await ask('key:uneven', 10);
    expect(last).toBe(0);
    expect(Math.max(one, other)).toBeLessThanOrEqual(SHARE);
  });

  it('grant their shares of the limit if Redis has reported nothing yet', async () => {
    server.freeze();
    expect(await ask('key:unknown', 10)).toEqual([SHARE, SHARE, SHARE]);
  });

  it('grant no more than their shares in addition to earlier grants of others', async () => {
    expect(await ask('key:others', 10, limiters.slice(0, 1))).toEqual([10]);
    server.freeze();
    expect(await ask('key:others', 10)).toEqual([0, SHARE, SHARE]);
  });

  it('do not grant again, once Redis is back, the cost that they granted without it', async () => {
    server.freeze();
    const local = sum(await ask('key:reported', 2));
    expect(local).toBe(6);
    server.thaw();
    await areBack();
    expect(local + sum(await ask('key:reported', 10))).toBeLessThanOrEqual(10);
    // During another stall, the reported grants still count
    server.freeze();
    expect(await ask('key:reported', 10)).toEqual([0, 0, 0]);
  });

  it('report no refunded cost to Redis', async () => {
    server.freeze();
    // Calls sent to Redis before it was marked down are charged there later
    await ask('key:first', 1);
    const decisions = await Promise.all(limiters.map(async (limiter) => limiter.take('key:back', limit, SHARE)));
    expect(decisions.map(({ granted }) => granted)).toEqual([true, true, true]);
    for (const decision of decisions) for (const _ of range(2)) await decision.refund();
    expect((await limiters[0]?.take('key:back', limit, SHARE))?.granted).toBe(true);
    server.thaw();
    await areBack();
    expect(sum(await ask('key:back', 10))).toBe(10 - SHARE);
  });

  it('accept a reply that arrived while their own event loop was blocked', async () => {
    const [limiter] = limiters;
    const decision = limiter?.take('key:late', limit, 1);
    const end = performance.now() + 600;
    while (performance.now() < end);
    expect(await decision).toMatchObject({ granted: true, remaining: 9 });
    expect([limiter?.isShared, limiter?.fallbacks]).toEqual([true, 0]);
  });

  it('grant a limit of 1 once each rather than never', async () => {
    server.freeze();
    const one = { requests: 1, windowSeconds: 60 };
    const decisions = await Promise.all(limiters.map(async (limiter) => limiter.take('key:one', one, 1)));
    expect(decisions.map(({ granted }) => granted)).toEqual([true, true, true]);
  });

  it('do not grant a spent limit again if Redis comes back empty, even repeatedly', async () => {
    const counted = { spent: sum(await ask('key:spent', 5)), half: sum(await ask('key:half', 2)) };
    expect(counted).toEqual({ spent: 10, half: 6 });
    for (const _ of range(3)) {
      await server.kill();
      await until(() => limiters.every(({ isShared }) => !isShared), 'all to notice');
      await server.startAgain();
      await areBack();
      expect(sum(await ask('key:spent', 10))).toBe(0);
      counted.half += sum(await ask('key:half', 1, limiters.slice(0, 1)));
    }
    counted.half += sum(await ask('key:half', 10));
    expect(counted.half).toBe(10);
  });

  it('restore their reports together if Redis is flushed during use', async () => {
    // The first got a report of one call only, the last of all
    let granted = sum(await ask('key:uneven', 1, limiters.slice(0, 1)));
    granted += sum(await ask('key:uneven', 7, limiters.slice(2)));
    expect(granted).toBe(8);
    const admin = new Redis(server.url);
    await admin.flushall();
    admin.disconnect();
    granted += sum(await ask('key:uneven', 1, limiters.slice(0, 1)));
    granted += sum(await ask('key:uneven', 10, limiters.toReversed()));
    expect(granted).toBe(10);
    expect(sum(await ask('key:uneven', 10))).toBe(0);
  });
});
