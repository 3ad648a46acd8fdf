import { acceptsGzip } from './accepts-gzip.js';

it.each([
  [undefined, false],
  ['', false],
  ['gzip', true],
  ['GZIP;Q=0.5', true],
  ['deflate, gzip;q=1.0, *;q=0.5', true],
  ['gzip;q=0', false],
  ['gzip; q=0.000, *', false],
  ['*', true],
  ['*;q=0', false],
  ['identity', false],
  ['gzip;q=none', false],
])('%j accepts gzip: %j', (header, accepts) => {
  expect(acceptsGzip(header)).toBe(accepts);
});
