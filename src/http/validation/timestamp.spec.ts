import { isFuture, parseTimestamp } from './timestamp.js';

// RFC 3339, 5.6 and 5.8
it.each([
  ['2030-01-31T12:00:00Z', '2030-01-31T12:00:00.000Z'],
  ['1985-04-12T23:20:50.52Z', '1985-04-12T23:20:50.520Z'],
  ['1996-12-19T16:39:57-08:00', '1996-12-20T00:39:57.000Z'],
  ['1937-01-01T12:00:27.87+00:20', '1937-01-01T11:40:27.870Z'],
  ['2030-01-31t12:00:00z', '2030-01-31T12:00:00.000Z'],
  ['2030-01-31T12:00:00.123456789Z', '2030-01-31T12:00:00.123Z'],
  ['2030-01-31T12:00:00-00:00', '2030-01-31T12:00:00.000Z'],
  ['2028-02-29T00:00:00Z', '2028-02-29T00:00:00.000Z'],
  ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
])('parses %s', (text, time) => {
  expect(parseTimestamp(text)?.toISOString()).toBe(time);
});

it.each([
  ['no zone', '2030-01-31T12:00:00'],
  ['no time', '2030-01-31'],
  ['no seconds', '2030-01-31T12:00Z'],
  ['a space for the T', '2030-01-31 12:00:00Z'],
  ['30 February', '2030-02-30T00:00:00Z'],
  ['29 February of a common year', '2029-02-29T00:00:00Z'],
  ['29 February of a century', '2100-02-29T00:00:00Z'],
  ['day 0', '2030-01-00T00:00:00Z'],
  ['month 0', '2030-00-01T00:00:00Z'],
  ['month 13', '2030-13-01T00:00:00Z'],
  ['hour 24', '2030-01-31T24:00:00Z'],
  ['minute 60', '2030-01-31T12:60:00Z'],
  ['a leap second, which Date cannot hold', '1990-12-31T23:59:60Z'],
  ['an offset of 24 hours', '2030-01-31T12:00:00+24:00'],
  ['an offset without a colon', '2030-01-31T12:00:00+0100'],
  ['ten digits of a second', '2030-01-31T12:00:00.1234567890Z'],
  ['a year of five digits', '12030-01-31T12:00:00Z'],
  ['a time that is in the year 10000 in UTC', '9999-12-31T23:59:59-01:00'],
  ['blanks around it', ' 2030-01-31T12:00:00Z '],
  ['a line feed behind it', '2030-01-31T12:00:00Z\n'],
  ['nothing', ''],
  ['null', null],
  ['a number', 1_900_000_000_000],
  ['a list of one', ['2030-01-31T12:00:00Z']],
])('rejects %s', (_, value) => {
  expect(parseTimestamp(value)).toBeNull();
});

it('distinguishes the future from the past', () => {
  expect([-60_000, 60_000].map((offset) => isFuture(new Date(Date.now() + offset)))).toEqual([false, true]);
});
