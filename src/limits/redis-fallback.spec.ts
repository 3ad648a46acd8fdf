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
/** What each of three processes may grant by itself. */
const SHARE = 3;

if (!HAS_REDIS_SERVER) process.stdout.write('Left out, since there is no redis-server: limits while Redis stalls\n');

(HAS_REDIS_SERVER ? describe : describe.skip)('three processes whose Redis stalls', () => {
  let server: RedisServer;
  let limiters: RedisRateLimiter[];

  beforeEach(async () => {
    for (const level of ['warn', 'log'] as const) jest.spyOn(Logger.prototype, level).mockImplementation(() => {});
    server = await RedisServer.start();
    const clock = new SystemClock();
    limiters = range(3).map(() => new RedisRateLimiter({ url: server.url }, new InProcessRateLimiter(clock), clock));
    for (const limiter of limiters) await limiter.open();
    // Each hears of the others with its next heartbeat, for which nobody has to wait here
    for (const limiter of limiters) limiter['catchUp']['beat'](limiter['connection']);
    await until(() => limiters.every(({ processCount }) => processCount === 3), 'all to know of each other');
  });
  afterEach(async () => {
    server.thaw();
    await Promise.all(limiters.map((limiter) => limiter.close()));
    await server.kill();
    jest.restoreAllMocks();
  });

  /** Asks each process, in turn, so many times; tells how many calls each has granted. */
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

  it('grant the limit and no more, where Redis has told each of them that it was reached', async () => {
    expect(sum(await ask('key:spent', 5))).toBe(10);
    server.freeze();
    expect(await ask('key:spent', 10)).toEqual([0, 0, 0]);
  });

  it('grant no more than was left when Redis last spoke', async () => {
    expect(sum(await ask('key:half', 2))).toBe(6);
    server.freeze();
    expect(sum(await ask('key:half', 10))).toBe(4);
  });

  it('grant less than a share each beyond the limit, where Redis has told some of them long ago', async () => {
    expect(sum(await ask('key:uneven', 1))).toBe(3);
    expect(await ask('key:uneven', 7, limiters.slice(2))).toEqual([7]);
    server.freeze();
    const [one = 0, other = 0, last] = await ask('key:uneven', 10);
    expect(last).toBe(0);
    expect(Math.max(one, other)).toBeLessThanOrEqual(SHARE);
  });

  it('grant their shares of the limit, where Redis has said nothing yet', async () => {
    server.freeze();
    expect(await ask('key:unknown', 10)).toEqual([SHARE, SHARE, SHARE]);
  });

  it('grant no more than their shares besides what others were granted before', async () => {
    expect(await ask('key:others', 10, limiters.slice(0, 1))).toEqual([10]);
    server.freeze();
    expect(await ask('key:others', 10)).toEqual([0, SHARE, SHARE]);
  });

  it('grant nothing again when Redis is back, of what they have granted without it', async () => {
    server.freeze();
    const alone = sum(await ask('key:told', 2));
    expect(alone).toBe(6);
    server.thaw();
    await areBack();
    expect(alone + sum(await ask('key:told', 10))).toBeLessThanOrEqual(10);
    // Another stall goes by what Redis has been told
    server.freeze();
    expect(await ask('key:told', 10)).toEqual([0, 0, 0]);
  });

  it('owe Redis nothing for what was given back', async () => {
    server.freeze();
    // What was sent to Redis before it was given up is charged there later
    await ask('key:first', 1);
    const decisions = await Promise.all(limiters.map(async (limiter) => limiter.take('key:back', limit, SHARE)));
    expect(decisions.map(({ granted }) => granted)).toEqual([true, true, true]);
    for (const decision of decisions) for (const _ of range(2)) await decision.refund();
    expect((await limiters[0]?.take('key:back', limit, SHARE))?.granted).toBe(true);
    server.thaw();
    await areBack();
    expect(sum(await ask('key:back', 10))).toBe(10 - SHARE);
  });

  it('take an answer that has arrived while their own event loop stood still', async () => {
    const [limiter] = limiters;
    const decision = limiter?.take('key:late', limit, 1);
    const end = performance.now() + 600;
    while (performance.now() < end);
    expect(await decision).toMatchObject({ granted: true, remaining: 9 });
    expect([limiter?.isShared, limiter?.fallbacks]).toEqual([true, 0]);
  });

  it('grant a small limit once each, rather than not at all', async () => {
    server.freeze();
    const one = { requests: 1, windowSeconds: 60 };
    const decisions = await Promise.all(limiters.map(async (limiter) => limiter.take('key:one', one, 1)));
    expect(decisions.map(({ granted }) => granted)).toEqual([true, true, true]);
  });

  it('grant nothing again where Redis has come back empty, however often', async () => {
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

  it('restore together what each of them was told, where Redis was emptied under their hands', async () => {
    // The first was told of one alone, the last of all ten
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
