import { jest } from '@jest/globals';
import { KeyedConcurrency } from './keyed-concurrency.js';

afterEach(() => void jest.restoreAllMocks());

const turnsOf = (running: number, queued: number) =>
  new KeyedConcurrency({ running, queued }, () => new Error('too many'));

it('gives each key so many turns at once, the others in their order, without letting another key wait', async () => {
  const turns = turnsOf(2, 10);
  const order: string[] = [];
  const [first, second] = [await turns.acquire('a'), await turns.acquire('a')];
  const third = turns.acquire('a').then((release) => (order.push('third'), release));
  const fourth = turns.acquire('a').then((release) => (order.push('fourth'), release));
  (await turns.acquire('b'))();
  expect(order).toEqual([]);
  second();
  (await third)();
  (await fourth)();
  expect(order).toEqual(['third', 'fourth']);
  first();
  expect(turns.size).toBe(0);
});

it('ends a turn once, however often it is released', async () => {
  const turns = turnsOf(1, 10);
  const release = await turns.acquire('a');
  release();
  const held = await turns.acquire('a');
  release();
  let isGranted = false;
  const waiting = turns.acquire('a').then((next) => ((isGranted = true), next));
  await new Promise(setImmediate);
  expect(isGranted).toBe(false);
  held();
  (await waiting)();
});

it('ends the turn of a work that fails, and tells what it failed of', async () => {
  const turns = turnsOf(1, 1);
  const first = turns.run('a', () => Promise.reject(new Error('its own')));
  const second = turns.run('a', async () => 'done');
  await expect(first).rejects.toThrow('its own');
  expect(await second).toBe('done');
  expect(turns.size).toBe(0);
});

it('refuses who comes when too many wait, and who has waited too long', async () => {
  const turns = turnsOf(1, 2);
  const release = await turns.acquire('a');
  const late = [turns.acquire('a'), turns.acquire('a')];
  await expect(turns.acquire('a')).rejects.toThrow('too many');
  const now = performance.now();
  jest.spyOn(performance, 'now').mockReturnValue(now + 60_000);
  release();
  for (const one of late) await expect(one).rejects.toThrow('too many');
  expect(turns.size).toBe(0);
});
