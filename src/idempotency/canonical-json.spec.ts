import fc from 'fast-check';
import { canonicalJson } from './canonical-json.js';

it('is independent of the order of members, at every level', () => {
  expect(canonicalJson({ b: [{ y: 1, x: 2 }], a: null })).toBe('{"a":null,"b":[{"x":2,"y":1}]}');
  expect(canonicalJson({ a: null, b: [{ x: 2, y: 1 }] })).toBe('{"a":null,"b":[{"x":2,"y":1}]}');
});

it('preserves the order of lists, and distinguishes values', () => {
  const values = [[1, 2], [2, 1], { a: 1 }, { a: '1' }, { a: [1] }, { a: { b: 1 } }, {}, [], null, '', 0, false];
  expect(new Set(values.map(canonicalJson)).size).toBe(values.length);
});

it('orders names by their UTF-16 code units, as RFC 8785 (3.2.3) shows', () => {
  const names = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
  const object = Object.fromEntries(names.map((name) => [name, 0]));
  expect(Object.keys(JSON.parse(canonicalJson(object).replaceAll('"1"', '"_1"')) as object)).toEqual([
    '\r',
    '_1',
    '\u0080',
    '\u00f6',
    '\u20ac',
    '\u{1f600}',
    '\ufb33',
  ]);
});

it('writes numbers in canonical form', () => {
  const texts = ['{"n":1}', '{"n":1.0}', '{"n":10e-1}', '{ "n" : 1 }'];
  expect(new Set(texts.map((text) => canonicalJson(JSON.parse(text)))).size).toBe(1);
});

it('is JSON of the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
