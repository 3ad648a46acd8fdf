import { ValidationError } from '../http/errors/api-error.js';
import { etagOf, tagged, untagged, versionsIn } from './etag.js';

it('is the version in quotes, and matches itself', () => {
  expect(etagOf({ version: 7 })).toBe('"7"');
  expect(versionsIn([etagOf({ version: 7 })])).toEqual([7]);
});

it('travels with an answer, and is sent in its header', () => {
  const stored = tagged({ data: 1 }, { version: 7 });
  expect(untagged(stored)).toEqual({ answer: { data: 1 }, headers: { ETag: '"7"' } });
});

it('is missing in answers that were stored without', () => {
  expect(untagged({ data: 1 })).toEqual({ answer: { data: 1 }, headers: undefined });
});

describe('If-Match', () => {
  it.each([
    [[], undefined],
    [['*'], undefined],
    [[' * '], undefined],
    [['"1"'], [1]],
    [['"1", "2"'], [1, 2]],
    [[',"1",,\t"2" ,'], [1, 2]],
    [
      ['"1"', '"2"'],
      [1, 2],
    ],
    [['"999999999"'], [999_999_999]],
  ])('of %j allows the versions %j', (values, versions) => {
    expect(versionsIn(values)).toEqual(versions);
  });

  it.each(['W/"1"', '"0"', '"01"', '"1.0"', '""', '"x"', '"1000000000"', '"-1"'])('of %s matches no version', (tag) => {
    expect(versionsIn([tag])).toEqual([Number.NaN]);
  });

  it.each(['1', '"1', '1"', '"1" "2"', '*, "1"', 'w/"1"', '"a b"', '', ','])('rejects %s', (value) => {
    expect(() => versionsIn([value])).toThrow(ValidationError);
  });
});
