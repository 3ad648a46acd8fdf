import { setImmediate as nextIteration } from 'node:timers/promises';
import { RoundRobin } from './round-robin.js';

it('lets one request proceed in each iteration of the event loop, networks and their callers in turn', async () => {
  const roundRobin = new RoundRobin();
  const order: string[] = [];
  const enter = (network: string, caller: string, name: string) =>
    roundRobin.waitForTurn(network, caller).then(() => order.push(name));
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

it('starts again after the queue was empty', async () => {
  const roundRobin = new RoundRobin();
  await roundRobin.waitForTurn('1', 'a');
  const order: string[] = [];
  await Promise.all(['b', 'a'].map((caller) => roundRobin.waitForTurn('1', caller).then(() => order.push(caller))));
  expect(order).toEqual(['b', 'a']);
});
