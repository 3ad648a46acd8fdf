import { jest } from '@jest/globals';
import { millisecondsSince, momentNow, NEVER } from './moment.js';

afterEach(() => jest.restoreAllMocks());

it.each([
  ['both clocks agree', 500, 500, 500],
  ['the steady clock stood still while the machine was suspended', 20, 60_000, 60_000],
  ['the wall clock was set back', 500, -3_600_000, 500],
])('takes the greater of two answers where %s', (_, steady, wall, expected) => {
  jest.spyOn(performance, 'now').mockReturnValue(10_000);
  jest.spyOn(Date, 'now').mockReturnValue(1_800_000_000_000);
  const moment = momentNow();
  jest.spyOn(performance, 'now').mockReturnValue(10_000 + steady);
  jest.spyOn(Date, 'now').mockReturnValue(1_800_000_000_000 + wall);
  expect(millisecondsSince(moment)).toBe(expected);
});

it('measures an infinite time since never', () => {
  expect(millisecondsSince(NEVER)).toBe(Number.POSITIVE_INFINITY);
});
