import { setImmediate as nextIteration } from 'node:timers/promises';
import { RoundRobin } from './round-robin.js';

it('lets one go on in each iteration of the event loop, networks and their callers in turn', async () => {
  const oneByOne = new RoundRobin();
  const order: string[] = [];
  const enter = (network: string, caller: string, name: string) =>
    oneByOne.waitForTurn(network, caller).then(() => order.push(name));
  const all = [
    enter('1', 'a', 'a1'),
    enter('1', 'a', 'a2'),
    enter('1', 'a', 'a3'),
    enter('1', 'b', 'b1'),
    enter('2', 'a', 'a4'),
    enter('2', 'a', 'a5'),
    enter('2', 'a', 'a6'),
  ];
  const seen: number[] = [];
  while (order.length < all.length) {
    await nextIteration();
    seen.push(order.length);
  }
  expect(order).toEqual(['a1', 'a4', 'b1', 'a5', 'a2', 'a6', 'a3']);
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

it('begins anew after all have gone on', async () => {
  const oneByOne = new RoundRobin();
  await oneByOne.waitForTurn('1', 'a');
  const order: string[] = [];
  await Promise.all(['b', 'a'].map((caller) => oneByOne.waitForTurn('1', caller).then(() => order.push(caller))));
  expect(order).toEqual(['b', 'a']);
});
