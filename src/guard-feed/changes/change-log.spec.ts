import { ChangeLog } from './change-log.js';

function logFrom(position: bigint): ChangeLog {
  const log = new ChangeLog();
  log.completeSince(position);
  return log;
}

const handles = (log: ChangeLog, since: bigint) => log.since(since)?.map(({ h }) => h);

it('has the changes from a transaction on, in the order of the transactions', () => {
  const log = logFrom(700n);
  log.add('b', 702n);
  log.add('a', 701n);
  log.add('c', 703n);
  expect(handles(log, 700n)).toEqual(['a', 'b', 'c']);
  expect(handles(log, 702n)).toEqual(['b', 'c']);
  expect(handles(log, 704n)).toEqual([]);
});

it('takes each change once, and the same key in another transaction again', () => {
  const log = logFrom(700n);
  expect([log.add('a', 701n), log.add('a', 701n), log.add('a', 702n)]).toEqual([true, false, true]);
  expect(handles(log, 700n)).toEqual(['a', 'a']);
  expect(log.lastNumber).toBe(2);
});

it('knows nothing until it is complete', () => {
  const log = new ChangeLog();
  log.add('a', 701n);
  expect([log.isComplete, log.since(701n)]).toEqual([false, undefined]);
  log.completeSince(700n);
  expect([log.isComplete, handles(log, 700n)]).toEqual([true, ['a']]);
});

it('does not know what happened before it began', () => {
  const log = logFrom(700n);
  expect(log.since(699n)).toBeUndefined();
  expect(log.since(700n)).toEqual([]);
});

it('takes a change of a transaction that was open when it began', () => {
  const log = logFrom(700n);
  log.add('a', 700n);
  expect(handles(log, 700n)).toEqual(['a']);
});

it('keeps the latest 10,000 changes, and says where it has none any more', () => {
  const log = logFrom(0n);
  for (let at = 1n; at <= 15_001n; at++) log.add('a', at);
  expect(log.since(5_001n)).toBeUndefined();
  expect(log.since(5_002n)).toHaveLength(10_000);
  // Again, after it was dropped: it is known to be older than what is complete
  expect(log.since(15_001n)).toHaveLength(1);
});

it('numbers the changes as they are added', () => {
  const log = logFrom(700n);
  log.add('b', 702n);
  log.add('a', 701n);
  expect(log.since(700n)?.map(({ number }) => number)).toEqual([2, 1]);
});
