import { Freshness, polledAt } from './freshness.js';
import { at } from '../../test/moments.js';

const BOUND_MS = 1_000;

function freshnessOf(...answers: { sent: number; arrived: number; heldMs?: number; ageMs?: number }[]): Freshness {
  const freshness = new Freshness();
  freshness.setBound(BOUND_MS);
  for (const { sent, arrived, heldMs = 0, ageMs = 0 } of answers)
    freshness.advance({ sent: at(sent), arrived: at(arrived), heldMs, ageMs });
  return freshness;
}

it('suffices for nothing before the first answer', () => {
  expect(new Freshness().leftMsAt(at(0))).toBe(-Infinity);
  expect(new Freshness().ageAt(at(0))).toBe(Infinity);
});

it('counts from when the question was sent, however late the answer arrives', () => {
  expect(freshnessOf({ sent: 0, arrived: 3_000 }).ageAt(at(3_000))).toBe(3_000);
});

it('counts neither what the service held the question, nor less than the age of what it knew', () => {
  expect(freshnessOf({ sent: 0, arrived: 260, heldMs: 250, ageMs: 30 }).ageAt(at(260))).toBe(40);
});

it('never goes back', () => {
  const answers = [
    { sent: 100, arrived: 110 },
    { sent: 50, arrived: 120 },
  ];
  expect(freshnessOf(...answers).ageAt(at(120))).toBe(20);
});

it('suffices for nine tenths of the bound', () => {
  const freshness = freshnessOf({ sent: 0, arrived: 1 });
  expect(freshness.leftMsAt(at(1))).toBe(899);
  expect(freshness.leftMsAt(at(900))).toBe(0);
});

it('suffices no longer after the machine was suspended', () => {
  const freshness = freshnessOf({ sent: 0, arrived: 1 });
  expect(freshness.leftMsAt({ ...at(2), wall: at(5_000).wall })).toBeLessThan(0);
});

it('does not believe that a question was held for longer than it took', () => {
  expect(polledAt({ sent: at(0), arrived: at(10), heldMs: 5_000, ageMs: 4 })).toEqual(at(6));
});

it('knows nothing after it was reset', () => {
  const freshness = freshnessOf({ sent: 0, arrived: 1 });
  freshness.reset();
  expect(freshness.ageAt(at(1))).toBe(Infinity);
  expect(freshness.boundMs).toBe(BOUND_MS);
});
