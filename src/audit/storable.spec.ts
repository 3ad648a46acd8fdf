import fc from 'fast-check';
import { storableId, storableJson, storableText } from './storable.js';

it('leaves what PostgreSQL can store as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => expect(storableText(text)).toBe(text)),
    { examples: [['\u{1f511} \u0001 \ufffd']] },
  );
  const changes = { name: { from: '\u0001\\u0000', to: '\u{1f511}' }, times: 2, list: [null, true, 0.5] };
  expect(storableJson(changes)).toBe(JSON.stringify(changes));
});

it('replaces what it cannot, wherever it stands', () => {
  expect(storableText('a\0b\ud800c\udc00')).toBe('a\ufffdb\ufffdc\ufffd');
  expect(JSON.parse(storableJson({ 'a\0': ['\ud800', { b: 'x\0' }] }))).toEqual({
    'a\ufffd': ['\ufffd', { b: 'x\ufffd' }],
  });
});

it('says that something was there, where it is no JSON', () => {
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
])('takes %s for %s, as an id', (given, id) => {
  expect(storableId(given)).toBe(id);
});
