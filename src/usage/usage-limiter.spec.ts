import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { TestClock } from '../../test/support/clock.js';
import { KeptLog } from '../../test/support/log.js';
import { UsageLimiter } from './usage-limiter.js';

beforeAll(() => Logger.overrideLogger(new KeptLog()));
afterEach(() => void jest.useRealTimers());

it('stops after one more attempt if the database does not respond', async () => {
  jest.useFakeTimers();
  let attempts = 0;
  let deny = (): void => undefined;
  const transaction = () => {
    attempts++;
    return new Promise((_, reject) => (deny = () => reject(new Error('no answer'))));
  };
  const limiter = new UsageLimiter({ transaction } as unknown as DataSource, new TestClock());
  limiter.onModuleInit();
  limiter.count('key', 1);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(attempts).toBe(1);

  let hasStopped = false;
  const stopped = limiter.onApplicationShutdown().then(() => (hasStopped = true));
  for (const _ of [1, 2]) {
    deny();
    await jest.advanceTimersByTimeAsync(0);
  }
  expect([attempts, hasStopped]).toEqual([2, true]);
  await stopped;
});

it('keeps uses of a bounded number of keys for the next write, and counts the uses it drops', () => {
  const limiter = new UsageLimiter({} as DataSource, new TestClock());
  for (let key = 0; key < 200_010; key++) limiter.count(`key ${key}`, 2);
  limiter.count('key 0', 1);
  expect(limiter.lost).toBe(20);
});

it('says for how many further keys there is room', () => {
  const limiter = new UsageLimiter({} as DataSource, new TestClock());
  for (let key = 0; key < 199_990; key++) limiter.count(`key ${key}`, 1);
  expect([limiter.hasRoomFor(10), limiter.hasRoomFor(11)]).toEqual([true, false]);
});
