import { SingleFlight } from './single-flight.js';

const pair = { apiKey: 'w3k_a', secretKey: 'w3s_a' };
const nothing = () => Promise.resolve(undefined);

it('shares a result until its flight ends', () => {
  const flights = new SingleFlight();
  const flight = flights.begin(pair, 1);
  const result = nothing();
  flights.share(flight, 'id', result);
  expect(flights.resultOf('id')).toBe(result);
  flights.end(flight);
  expect(flights.resultOf('id')).toBeUndefined();
});

it('marks the flights of changed keys as outdated, and shares their results no longer', () => {
  const flights = new SingleFlight();
  const changed = flights.begin(pair, 1);
  const other = flights.begin({ ...pair, apiKey: 'w3k_b' }, 1);
  flights.share(changed, 'changed', nothing());
  flights.share(other, 'other', nothing());
  flights.invalidate(new Set([pair.apiKey]));
  expect([changed.isOutdated, other.isOutdated]).toEqual([true, false]);
  expect([flights.resultOf('changed'), flights.resultOf('other')]).toEqual([undefined, expect.any(Promise)]);
  flights.invalidate();
  expect([other.isOutdated, flights.resultOf('other')]).toEqual([true, undefined]);
});

it('keeps a newer result when an outdated flight ends', () => {
  const flights = new SingleFlight();
  const former = flights.begin(pair, 1);
  flights.share(former, 'id', nothing());
  flights.invalidate();
  const newer = nothing();
  flights.share(flights.begin(pair, 2), 'id', newer);
  flights.end(former);
  expect(flights.resultOf('id')).toBe(newer);
});
