import { FeedPosition, type InvalidationRow } from './feed-position.js';

const SERVER = '7712:00000001';

/** The rows of a poll: the oldest open transaction, and changes by their numbers. */
function rows(oldest: number, changes: number[], identity = SERVER): InvalidationRow[] {
  const server = { oldest: String(oldest), identity, is_standby: false };
  if (changes.length === 0) return [{ ...server, seq: null, api_key: null }];
  return changes.map((seq) => ({ ...server, seq: String(seq), api_key: `key ${seq}` }));
}

it('returns each change once, though polls overlap', () => {
  const position = new FeedPosition();
  expect(position.advance(rows(700, []))).toEqual({ changed: [], isOtherServer: false });
  expect(position.parameters).toEqual(['700']);
  expect(position.advance(rows(705, [1, 2]))).toEqual({ changed: ['key 1', 'key 2'], isOtherServer: false });
  // The second committed late: the next poll still returns it
  expect(position.advance(rows(705, [2, 3])).changed).toEqual(['key 3']);
});

it.each([
  ['its transaction ids went backwards', rows(736, [2])],
  ['it is on another timeline', rows(800, [2], '7712:00000002')],
  ['it is another server', rows(800, [2], '9999:00000001')],
  ['it no longer reveals its identity', rows(800, [2], '')],
])('detects another server if %s, and ignores the changes seen before', (_, found) => {
  const position = new FeedPosition();
  position.advance(rows(700, []));
  position.advance(rows(757, [1, 2]));
  expect(position.advance(found)).toEqual({ changed: ['key 2'], isOtherServer: true });
  expect(position.advance(found)).toEqual({ changed: [], isOtherServer: false });
});

it('rejects the answer of a standby, which may be older than any bound', () => {
  const position = new FeedPosition();
  position.advance(rows(700, []));
  const [row] = rows(705, [1]) as [InvalidationRow];
  expect(() => position.advance([{ ...row, is_standby: true }])).toThrow('standby');
  expect(position.advance(rows(705, [1])).changed).toEqual(['key 1']);
});
