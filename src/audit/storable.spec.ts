import fc from 'fast-check';
import { storableId, storableJson, storableText } from './storable.js';

it('does not change what PostgreSQL can store', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => expect(storableText(text)).toBe(text)),
    { examples: [['\u{1f511} \u0001 \ufffd']] },
  );
  const changes = { name: { from: '\u0001\\u0000', to: '\u{1f511}' }, times: 2, list: [null, true, 0.5] };
  expect(storableJson(changes)).toBe(JSON.stringify(changes));
});

it('replaces what PostgreSQL cannot store, at any depth', () => {
  expect(storableText('a\0b\ud800c\udc00')).toBe('a\ufffdb\ufffdc\ufffd');
  expect(JSON.parse(storableJson({ 'a\0': ['\ud800', { b: 'x\0' }] }))).toEqual({
    'a\ufffd': ['\ufffd', { b: 'x\ufffd' }],
  });
});

it('marks a value without a JSON form as unreadable', () => {
  const circle: Record<string, unknown> = {};
  circle['itself'] = circle;
  expect(JSON.parse(storableJson(circle))).toEqual({ unreadable: true });
  expect(JSON.parse(storableJson({ times: 1n }))).toEqual({ unreadable: true });
});

it.each([
  ['01A20B9D-c4d9-7123-b878-6eb9911deb3f', '01A20B9D-c4d9-7123-b878-6eb9911deb3f'],
  ['00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000'],
  ['01a20b9dc4d97123b8786eb9911deb3f', null],
  ['list', null],
  [null, null],
])('reads the id %s as %s', (given, id) => {
  expect(storableId(given)).toBe(id);
});
