import { setImmediate as nextIteration } from 'node:timers/promises';
import { OneByOne } from './one-by-one.js';

it('lets one go on in each iteration of the event loop, and keys in turn', async () => {
  const oneByOne = new OneByOne();
  const order: string[] = [];
  const enter = (key: string, name: string) => oneByOne.next(key).then(() => order.push(name));
  const all = [enter('a', 'a1'), enter('a', 'a2'), enter('a', 'a3'), enter('b', 'b1'), enter('c', 'c1')];
  const seen: number[] = [];
  while (order.length < all.length) {
    await nextIteration();
    seen.push(order.length);
  }
  expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'a3']);
  expect(seen).toEqual([1, 2, 3, 4, 5]);
});

it('begins anew after all have gone on', async () => {
  const oneByOne = new OneByOne();
  await oneByOne.next('a');
  const order: string[] = [];
  await Promise.all(['b', 'a'].map((key) => oneByOne.next(key).then(() => order.push(key))));
  expect(order).toEqual(['b', 'a']);
});
