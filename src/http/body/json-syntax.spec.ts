import fc from 'fast-check';
import { jsonFault, placeOf } from './json-syntax.js';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

it('finds a fault exactly in the texts that JSON.parse rejects', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"\\u00e9"',
    '"\\x"',
    '"',
    '1',
    '01',
    '-',
    '1.5e3',
  );
  const more = fc.constantFrom('true', 'nul', ' ', '\n', '\ufeff', "'a'", '//', '\u0001', '1.', '+1', 'NaN', '{}');
  const nearly = fc.tuple(fc.json(), fc.nat(), fc.oneof(pieces, more)).map(([text, at, piece]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + piece + text.slice(place + (at % 2));
  });
  const any = fc.oneof(
    fc.json(),
    nearly,
    fc.array(fc.oneof(pieces, more)).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(any, (text) => {
      expect(jsonFault(text) === undefined).toBe(isJson(text));
    }),
    { numRuns: 2_000 },
  );
});

it.each([
  ['{"a":1,}', 7, 'a name in double quotes'],
  ['{"a":1 "b":2}', 7, 'a comma or }'],
  ['[1 2]', 3, 'a comma or ]'],
  ["{'a':1}", 1, 'a name in double quotes'],
  ['{"a" 1}', 5, 'a colon'],
  ['{"a":}', 5, 'a value'],
  ['{"a":tru}', 5, 'a value'],
  ['{"a":"b', 7, 'a closing quote'],
  ['{"a":"b\nc"}', 7, 'a closing quote or an escape'],
  ['{"a":"\\q"}', 6, 'a valid escape'],
  ['{"a":1', 6, 'a comma or }'],
  ['{"a":1}}', 7, 'the end of the body'],
  ['', 0, 'a value'],
  ['{"a":[{"b":[]},{}],"c":{"d":null}x', 33, 'a comma or }'],
])('%j is wrong at %d, where %s is expected', (text, at, expected) => {
  expect(jsonFault(text)).toMatchObject({ at, expected });
});

it.each([
  ['escapes', '\\n', 'a closing quote'],
  ['escapes between characters', 'a\\u00e9', 'a closing quote'],
  ['characters', 'é', 'a closing quote'],
])('handles a string of very many %s', (_, piece, expected) => {
  const text = `{"a":"${piece.repeat(30_000)}`;
  expect(jsonFault(text)).toMatchObject({ at: text.length, expected });
  expect(jsonFault(`${text}"}`)).toBeUndefined();
});

it('handles very deep nesting', () => {
  expect(jsonFault('['.repeat(60_000))).toMatchObject({ at: 60_000 });
});

it.each([
  ['abc', 0, 'line 1, column 1'],
  ['a\nbc', 3, 'line 2, column 2'],
  ['a\r\n\rb', 4, 'line 3, column 1'],
  ['\u{1f511}é"x', 4, 'line 1, column 4'],
  ['ab\n', 3, 'line 2, column 1'],
])('counts lines and characters from 1: %j at %d', (text, at, place) => {
  expect(placeOf(text, at)).toBe(place);
});
