import { elapsedMs, isPast, NEVER, plusMs, systemClock } from './clock.js';
import { at } from '../test/moments.js';

it('counts what has passed by the clock that shows more', () => {
  const now = at(100);
  expect(elapsedMs(at(40), now)).toBe(60);
  // The machine was suspended, so that the steady clock stood still
  expect(elapsedMs(at(40), { ...now, wall: now.wall + 500 })).toBe(560);
  // Somebody set the wall clock back
  expect(elapsedMs(at(40), { ...now, wall: now.wall - 500 })).toBe(60);
});

it('takes a moment for past if either clock shows it', () => {
  expect(isPast(at(100), at(99))).toBe(false);
  expect(isPast(at(100), at(100))).toBe(true);
  expect(isPast(at(100), { steady: 50, wall: at(100).wall })).toBe(true);
  expect(isPast(at(100), { steady: 100, wall: at(50).wall })).toBe(true);
});

it('is infinitely far from never', () => {
  expect(elapsedMs(NEVER, systemClock.now())).toBe(Infinity);
  expect(isPast(plusMs(systemClock.now(), Infinity), systemClock.now())).toBe(false);
});
