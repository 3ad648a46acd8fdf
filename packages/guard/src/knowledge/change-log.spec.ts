import { ChangeLog } from './change-log.js';
import { at } from '../../test/moments.js';

function logFrom(position: bigint, maxKeys = 10): ChangeLog {
  const log = new ChangeLog(maxKeys);
  log.begin(position);
  return log;
}

describe('the low-water mark', () => {
  it('lets nothing pass before the log has begun', () => {
    expect(new ChangeLog().reaches(1n)).toBe(false);
  });

  it('is where the log began', () => {
    const log = logFrom(100n);
    expect([99n, 100n, 101n].map((position) => log.reaches(position))).toEqual([false, true, true]);
  });

  it('rises over what is dropped', () => {
    const log = logFrom(100n, 2);
    ['a', 'b', 'c'].forEach((keyHash, i) => log.record({ keyHash, at: 200n + BigInt(i) }, at(0)));
    expect(log.trim()).toBe(true);
    expect([200n, 201n].map((position) => log.reaches(position))).toEqual([false, true]);
    expect(log.isNewer(201n, 'b')).toBe(false);
  });

  it('does not fall if an older change is dropped', () => {
    const log = logFrom(100n, 1);
    log.record({ keyHash: 'a', at: 50n }, at(0));
    log.record({ keyHash: 'b', at: 200n }, at(0));
    log.trim();
    expect([99n, 100n].map((position) => log.reaches(position))).toEqual([false, true]);
  });

  it('keeps the keys that changed last', () => {
    const log = logFrom(100n, 2);
    for (const [keyHash, id] of [
      ['a', 200n],
      ['b', 201n],
      ['a', 202n],
      ['c', 203n],
    ] as const)
      log.record({ keyHash, at: id }, at(0));
    log.trim();
    expect([201n, 202n].map((position) => log.reaches(position))).toEqual([false, true]);
    expect(log.isNewer(202n, 'a')).toBe(false);
  });
});

describe('what is newer than a change', () => {
  it('has a greater position than its transaction', () => {
    const log = logFrom(100n);
    log.record({ keyHash: 'a', at: 200n }, at(0));
    expect([199n, 200n, 201n].map((position) => log.isNewer(position, 'a'))).toEqual([false, false, true]);
    expect(log.isNewer(150n, 'b')).toBe(true);
  });

  it('is newer than the latest change of the key, in whatever order they were reported', () => {
    const log = logFrom(100n);
    for (const id of [300n, 200n]) log.record({ keyHash: 'a', at: id }, at(0));
    expect(log.isNewer(300n, 'a')).toBe(false);
  });

  it('compares positions as numbers', () => {
    const log = logFrom(1n);
    log.record({ keyHash: 'a', at: 18_446_744_073_709_551_614n }, at(0));
    expect(log.isNewer(9n, 'a')).toBe(false);
    expect(log.isNewer(18_446_744_073_709_551_615n, 'a')).toBe(true);
  });
});

describe('a change without a date', () => {
  function undated(): ChangeLog {
    const log = logFrom(100n);
    log.record({ keyHash: 'a', at: null }, at(10));
    return log;
  }

  it('is later than any position', () => {
    expect(undated().isNewer(1_000n, 'a')).toBe(false);
  });

  it('is not dated by an earlier change of the same key', () => {
    const log = undated();
    log.record({ keyHash: 'a', at: 150n }, at(10));
    expect(log.isNewer(1_000n, 'a')).toBe(false);
  });

  it('is dated once the service has read all changes since it was reported', () => {
    const log = undated();
    log.record({ keyHash: 'a', at: 200n }, at(20));
    log.settle(150n, at(11));
    expect([200n, 201n].map((position) => log.isNewer(position, 'a'))).toEqual([false, true]);
  });

  it('is older than what was asked for if it is not among the changes that were read since', () => {
    const log = undated();
    log.settle(150n, at(11));
    expect([149n, 150n].map((position) => log.isNewer(position, 'a'))).toEqual([false, true]);
  });

  it('is not dated by what the service read before, by either clock', () => {
    for (const polledAt of [at(10), { ...at(11), steady: 10 }, { ...at(11), wall: at(10).wall }]) {
      const log = undated();
      log.settle(150n, polledAt);
      expect(log.isNewer(1_000n, 'a')).toBe(false);
    }
  });

  it('is not dated if it is reported again meanwhile', () => {
    const log = undated();
    log.record({ keyHash: 'a', at: null }, at(20));
    log.settle(150n, at(15));
    expect(log.isNewer(1_000n, 'a')).toBe(false);
  });
});

it('says what is news', () => {
  const log = logFrom(100n);
  const changes = [200n, 200n, 150n, null, null, 201n];
  expect(changes.map((id) => log.record({ keyHash: 'a', at: id }, at(0)))).toEqual([
    true,
    false,
    false,
    true,
    false,
    true,
  ]);
});

it('has to be reset with too many changes without a date', () => {
  const log = logFrom(100n, 1);
  log.record({ keyHash: 'a', at: null }, at(0));
  expect(log.trim()).toBe(true);
  log.record({ keyHash: 'b', at: null }, at(0));
  expect(log.trim()).toBe(false);
});
