import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { TestClock } from '../../test/support/clock.js';
import { KeptLog } from '../../test/support/log.js';
import { UsageLimiter } from './usage-limiter.js';

beforeAll(() => Logger.overrideLogger(new KeptLog()));
afterEach(() => void jest.useRealTimers());

it('ends after one more try, however long the database has not answered', async () => {
  jest.useFakeTimers();
  let tries = 0;
  let deny = (): void => undefined;
  const transaction = () => {
    tries++;
    return new Promise((_, reject) => (deny = () => reject(new Error('no answer'))));
  };
  const meter = new UsageLimiter({ transaction } as unknown as DataSource, new TestClock());
  meter.onModuleInit();
  meter.count('key', 1);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(tries).toBe(1);

  let hasEnded = false;
  const ended = meter.onApplicationShutdown().then(() => (hasEnded = true));
  for (const _ of [1, 2]) {
    deny();
    await jest.advanceTimersByTimeAsync(0);
  }
  expect([tries, hasEnded]).toEqual([2, true]);
  await ended;
});

it('keeps uses of so many keys for the next writing, and counts what it has lost', () => {
  const meter = new UsageLimiter({} as DataSource, new TestClock());
  for (let key = 0; key < 200_010; key++) meter.count(`key ${key}`, 2);
  meter.count('key 0', 1);
  expect(meter.lost).toBe(20);
});
