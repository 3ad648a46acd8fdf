import { LookUps } from './look-ups.js';

const pair = { apiKey: 'w3k_a', secretKey: 'w3s_a' };
const nothing = () => Promise.resolve(undefined);

it('shares a result until its look-up has ended', () => {
  const lookUps = new LookUps();
  const lookUp = lookUps.begin(pair, 1);
  const result = nothing();
  lookUps.share(lookUp, 'id', result);
  expect(lookUps.resultOf('id')).toBe(result);
  lookUps.end(lookUp);
  expect(lookUps.resultOf('id')).toBeUndefined();
});

it('outdates the look-ups of the keys that have changed, whose results nobody else gets', () => {
  const lookUps = new LookUps();
  const changed = lookUps.begin(pair, 1);
  const other = lookUps.begin({ ...pair, apiKey: 'w3k_b' }, 1);
  lookUps.share(changed, 'changed', nothing());
  lookUps.share(other, 'other', nothing());
  lookUps.outdate(new Set([pair.apiKey]));
  expect([changed.isOutdated, other.isOutdated]).toEqual([true, false]);
  expect([lookUps.resultOf('changed'), lookUps.resultOf('other')]).toEqual([undefined, expect.any(Promise)]);
  lookUps.outdate();
  expect([other.isOutdated, lookUps.resultOf('other')]).toEqual([true, undefined]);
});

it('leaves a newer result alone where an outdated look-up ends', () => {
  const lookUps = new LookUps();
  const former = lookUps.begin(pair, 1);
  lookUps.share(former, 'id', nothing());
  lookUps.outdate();
  const newer = nothing();
  lookUps.share(lookUps.begin(pair, 2), 'id', newer);
  lookUps.end(former);
  expect(lookUps.resultOf('id')).toBe(newer);
});
