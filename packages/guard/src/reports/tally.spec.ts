import { Tally } from './tally.js';

it('counts by code, with the time and the address of the last', () => {
  const tally = new Tally('id', 'previous');
  tally.add('VALID', 100, '192.0.2.1');
  tally.add('VALID', 200, '192.0.2.2');
  tally.add('VALID', 300, undefined);
  tally.add('INSUFFICIENT_SCOPE', 350, undefined);
  const about = { key_id: 'id', which: 'previous' };
  expect(tally.countsAt(1_000)).toEqual([
    { ...about, code: 'VALID', n: 3, last_ms_ago: 700, ip: '192.0.2.2' },
    { ...about, code: 'INSUFFICIENT_SCOPE', n: 1, last_ms_ago: 650 },
  ]);
});

it('reports whole milliseconds', () => {
  const tally = new Tally('id', 'current');
  tally.add('VALID', 0.4, undefined);
  expect(tally.countsAt(10)[0]?.last_ms_ago).toBe(10);
});
