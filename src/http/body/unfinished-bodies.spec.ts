import fc from 'fast-check';
import { UnfinishedBodies, type UnfinishedBody } from './unfinished-bodies.js';

class Body implements UnfinishedBody {
  bufferedBytes = 0;
  isEvicted = false;
  constructor(readonly sender: string) {}
  evict(): void {
    this.isEvicted = true;
  }
}

const namesOf = (bodies: Record<string, Body>) => Object.keys(bodies).filter((name) => bodies[name]?.isEvicted);

it('evicts the oldest body of a sender whose share is full, and no other', () => {
  const unfinished = new UnfinishedBodies(100, 20);
  const bodies = { old: new Body('eve'), ann: new Body('ann'), middle: new Body('eve'), young: new Body('eve') };
  for (const body of Object.values(bodies)) unfinished.track(body, 10);
  expect(namesOf(bodies)).toEqual(['old']);
  expect([unfinished.bytes, unfinished.evicted]).toEqual([30, 1]);
});

it('evicts the oldest body of all if the total is exceeded', () => {
  const unfinished = new UnfinishedBodies(25, 20);
  const bodies = { eve: new Body('eve'), ann: new Body('ann'), bob: new Body('bob') };
  for (const body of Object.values(bodies)) unfinished.track(body, 10);
  expect(namesOf(bodies)).toEqual(['eve']);
});

it('counts a growing body once, by its present size', () => {
  const unfinished = new UnfinishedBodies(100);
  const body = new Body('ann');
  for (const bytes of [1, 10, 40]) unfinished.track(body, bytes);
  expect(unfinished.bytes).toBe(40);
  for (let time = 0; time < 2; time++) unfinished.release(body);
  expect([unfinished.bytes, unfinished.evicted]).toEqual([0, 0]);
});

it('never exceeds its bounds, in any order of events', () => {
  const step = fc.record({ sender: fc.constantFrom('a', 'b', 'c'), body: fc.nat(9), bytes: fc.option(fc.nat(60)) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const unfinished = new UnfinishedBodies(100, 50);
      const open = new Map<string, Body>();
      for (const { sender, body: number, bytes } of steps) {
        const name = sender + number;
        const body = open.get(name) ?? new Body(sender);
        open.set(name, body);
        if (bytes === null) unfinished.release(body);
        else unfinished.track(body, bytes);
        for (const [other, { isEvicted }] of open)
          if (isEvicted || (bytes === null && other === name)) open.delete(other);
        const sizeOf = (of: (one: Body) => boolean) =>
          [...open.values()].filter(of).reduce((sum, one) => sum + one.bufferedBytes, 0);
        expect(unfinished.bytes).toBe(sizeOf(() => true));
        expect(unfinished.bytes).toBeLessThanOrEqual(100);
        expect(sizeOf((one) => one.sender === sender)).toBeLessThanOrEqual(50);
      }
    }),
  );
});
