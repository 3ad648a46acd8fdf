import { jest } from '@jest/globals';
import { Turns } from './turns.js';

afterEach(() => void jest.restoreAllMocks());

it('gives each key so many turns at once, the others in their order, without letting another key wait', async () => {
  const turns = new Turns({ running: 2, queued: 10 });
  const order: string[] = [];
  const [first, second] = [await turns.take('a'), await turns.take('a')];
  const third = turns.take('a').then((release) => (order.push('third'), release));
  const fourth = turns.take('a').then((release) => (order.push('fourth'), release));
  (await turns.take('b'))();
  expect(order).toEqual([]);
  second();
  (await third)();
  (await fourth)();
  expect(order).toEqual(['third', 'fourth']);
  first();
  expect(turns.size).toBe(0);
});

it('ends a turn once, however often it is released', async () => {
  const turns = new Turns({ running: 1, queued: 10 });
  const release = await turns.take('a');
  release();
  const held = await turns.take('a');
  release();
  let isGranted = false;
  const waiting = turns.take('a').then((next) => ((isGranted = true), next));
  await new Promise(setImmediate);
  expect(isGranted).toBe(false);
  held();
  (await waiting)();
});

it('refuses as its own excess who comes when too many wait, and who has waited too long', async () => {
  const turns = new Turns({ running: 1, queued: 2 });
  const release = await turns.take('a');
  const late = [turns.take('a'), turns.take('a')];
  const refused = { code: 'rate_limited', headers: { 'Retry-After': '1' } };
  await expect(turns.take('a')).rejects.toMatchObject(refused);
  const now = performance.now();
  jest.spyOn(performance, 'now').mockReturnValue(now + 60_000);
  release();
  for (const one of late) await expect(one).rejects.toMatchObject(refused);
  expect(turns.size).toBe(0);
});
