import { FeedPosition, type InvalidationRow } from './feed-position.js';

const SERVER = '7712:00000001';
const STARTED = '2026-11-28 12:00:00.123456+00';

/** The rows of a poll: the oldest open transaction, and changes by their numbers. */
function rows(oldest: number, changes: number[], identity = SERVER, started = STARTED): InvalidationRow[] {
  const server = { oldest: String(oldest), identity, started, is_standby: false };
  if (changes.length === 0) return [{ ...server, seq: null, transaction_id: null, api_key: null }];
  return changes.map((seq) => ({ ...server, ...change(seq) }));
}

function change(seq: number) {
  return { seq: String(seq), transaction_id: String(700 + seq), api_key: `key ${seq}` };
}

function invalidation(seq: number) {
  return { identifier: `key ${seq}`, transactionId: String(700 + seq) };
}

it('returns each change once, though polls overlap', () => {
  const position = new FeedPosition();
  expect(position.advance(rows(700, []))).toEqual({ changed: [], isOtherServer: false });
  expect(position.parameters).toEqual(['700']);
  expect(position.advance(rows(705, [1, 2]))).toEqual({
    changed: [invalidation(1), invalidation(2)],
    isOtherServer: false,
  });
  // The second committed late: the next poll still returns it
  expect(position.advance(rows(705, [2, 3])).changed).toEqual([invalidation(3)]);
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
  expect(position.advance(found)).toEqual({ changed: [invalidation(2)], isOtherServer: true });
  expect(position.advance(found)).toEqual({ changed: [], isOtherServer: false });
});

it('rejects the answer of a standby, which may be older than any bound', () => {
  const position = new FeedPosition();
  position.advance(rows(700, []));
  const [row] = rows(705, [1]) as [InvalidationRow];
  expect(() => position.advance([{ ...row, is_standby: true }])).toThrow('standby');
  expect(position.advance(rows(705, [1])).changed).toEqual([invalidation(1)]);
});

it('has an epoch for each server, timeline and start, and the oldest open transaction as its position', () => {
  const positionOf = (...polls: InvalidationRow[][]) => {
    const position = new FeedPosition();
    for (const poll of polls) position.advance(poll);
    return position.current;
  };
  const restarted = rows(705, [], SERVER, '2026-11-28 13:00:00+00');
  const [first, same, ...others] = [rows(700, []), rows(705, [1]), rows(705, [], '7712:00000002'), restarted].map(
    (poll) => positionOf(rows(690, []), poll),
  );
  expect([first?.oldest, same?.oldest]).toEqual(['700', '705']);
  expect(same?.epoch).toBe(first?.epoch);
  expect(new Set([first, ...others].map((position) => position?.epoch)).size).toBe(3);
});
