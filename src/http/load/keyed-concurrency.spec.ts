import { jest } from '@jest/globals';
import { UnavailableError } from '../errors/api-error.js';
import { KeyedConcurrency } from './keyed-concurrency.js';

afterEach(() => void jest.restoreAllMocks());

const concurrencyOf = (running: number, queued: number) =>
  new KeyedConcurrency({ running, queued }, () => new Error('too many'));

it('caps the concurrency of each key and queues further callers in order, without delaying other keys', async () => {
  const slots = concurrencyOf(2, 10);
  const order: string[] = [];
  const [first, second] = [await slots.acquire('a'), await slots.acquire('a')];
  const third = slots.acquire('a').then((release) => (order.push('third'), release));
  const fourth = slots.acquire('a').then((release) => (order.push('fourth'), release));
  (await slots.acquire('b'))();
  expect(order).toEqual([]);
  second();
  (await third)();
  (await fourth)();
  expect(order).toEqual(['third', 'fourth']);
  first();
  expect(slots.size).toBe(0);
});

it('frees a slot only once, however often it is released', async () => {
  const slots = concurrencyOf(1, 10);
  const release = await slots.acquire('a');
  release();
  const current = await slots.acquire('a');
  release();
  let isGranted = false;
  const waiting = slots.acquire('a').then((next) => ((isGranted = true), next));
  await new Promise(setImmediate);
  expect(isGranted).toBe(false);
  current();
  (await waiting)();
});

it('frees the slot of a task that fails, and passes its error on', async () => {
  const slots = concurrencyOf(1, 1);
  const first = slots.run('a', () => Promise.reject(new Error('its own')));
  const second = slots.run('a', async () => 'done');
  await expect(first).rejects.toThrow('its own');
  expect(await second).toBe('done');
  expect(slots.size).toBe(0);
});

it('rejects callers when the queue is full; and as a fault of the service, those that have waited too long', async () => {
  const slots = concurrencyOf(1, 2);
  const release = await slots.acquire('a');
  const late = [slots.acquire('a'), slots.acquire('a')];
  await expect(slots.acquire('a')).rejects.toThrow('too many');
  const now = performance.now();
  jest.spyOn(performance, 'now').mockReturnValue(now + 60_000);
  release();
  for (const one of late) await expect(one).rejects.toBeInstanceOf(UnavailableError);
  expect(slots.size).toBe(0);
});
