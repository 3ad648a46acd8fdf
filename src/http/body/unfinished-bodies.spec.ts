import fc from 'fast-check';
import { UnfinishedBodies, type UnfinishedBody } from './unfinished-bodies.js';

class Body implements UnfinishedBody {
  bufferedBytes = 0;
  isGivenUp = false;
  constructor(readonly sender: string) {}
  evict(): void {
    this.isGivenUp = true;
  }
}

const namesOf = (bodies: Record<string, Body>) => Object.keys(bodies).filter((name) => bodies[name]?.isGivenUp);

it('has the oldest of a sender give way where its share is full, and nobody else', () => {
  const unfinished = new UnfinishedBodies(100, 20);
  const bodies = { old: new Body('eve'), ann: new Body('ann'), middle: new Body('eve'), young: new Body('eve') };
  for (const body of Object.values(bodies)) unfinished.track(body, 10);
  expect(namesOf(bodies)).toEqual(['old']);
  expect([unfinished.bytes, unfinished.evicted]).toEqual([30, 1]);
});

it('has the oldest of all give way where there is no room left', () => {
  const unfinished = new UnfinishedBodies(25, 20);
  const bodies = { eve: new Body('eve'), ann: new Body('ann'), bob: new Body('bob') };
  for (const body of Object.values(bodies)) unfinished.track(body, 10);
  expect(namesOf(bodies)).toEqual(['eve']);
});

it('counts a body for what it has grown to, once', () => {
  const unfinished = new UnfinishedBodies(100);
  const body = new Body('ann');
  for (const bytes of [1, 10, 40]) unfinished.track(body, bytes);
  expect(unfinished.bytes).toBe(40);
  for (let time = 0; time < 2; time++) unfinished.release(body);
  expect([unfinished.bytes, unfinished.evicted]).toEqual([0, 0]);
});

it('never holds more than it may, whoever sends what and ends when', () => {
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
        for (const [other, { isGivenUp }] of open)
          if (isGivenUp || (bytes === null && other === name)) open.delete(other);
        const held = (of: (one: Body) => boolean) =>
          [...open.values()].filter(of).reduce((sum, one) => sum + one.bufferedBytes, 0);
        expect(unfinished.bytes).toBe(held(() => true));
        expect(unfinished.bytes).toBeLessThanOrEqual(100);
        expect(held((one) => one.sender === sender)).toBeLessThanOrEqual(50);
      }
    }),
  );
});
