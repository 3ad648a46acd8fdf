import type { DataSource } from 'typeorm';
import { TestClock } from '../../../test/support/clock.js';
import { UsageLimiter } from '../../usage/usage-limiter.js';
import { UsageStatistics } from '../../usage/usage-statistics.js';
import { PreviousSecretUses } from '../../verification/previous-secret-uses.js';
import type { GuardReport } from './guard-report.js';
import { GuardReports } from './guard-reports.js';
import { ReportedKeys } from './reported-keys.js';

const KEY = '01a20b9d-c4d9-7123-b878-6eb9911deb3f';
const report: GuardReport = {
  guard: 'q3Xb0yJf7mK2sVtN9hLwZA',
  seq: 1,
  counts: [{ keyId: KEY, secretKind: 'current', code: 'VALID', times: 3, lastMsAgo: 0 }],
};

/** Reports on a database that has the key, and answers when the test lets it. */
function setUp() {
  const clock = new TestClock();
  const answers: { resolve: (rows: object[]) => void; reject: (cause: Error) => void }[] = [];
  const query = () => new Promise<object[]>((resolve, reject) => answers.push({ resolve, reject }));
  const database = { query } as unknown as DataSource;
  const usageLimiter = new UsageLimiter(database, clock);
  const statistics = new UsageStatistics(database, clock);
  const previousSecretUses = new PreviousSecretUses(database, clock);
  const reports = new GuardReports(new ReportedKeys(database), usageLimiter, statistics, previousSecretUses, clock);
  const release = () =>
    answers.splice(0).forEach(({ resolve }) => resolve([{ id: KEY, previousSecretHash: null, hasMaxUses: false }]));
  const fail = () => answers.splice(0).forEach(({ reject }) => reject(new Error('Connection terminated')));
  return { reports, usageLimiter, statistics, release, fail };
}

it('counts a report once that arrives twice before the keys are read', async () => {
  const { reports, usageLimiter, statistics, release } = setUp();
  const both = [reports.add('service:one', report), reports.add('service:one', report)];
  release();
  expect(await Promise.all(both)).toEqual([1, 1]);
  expect([usageLimiter.unwritten, statistics.unwritten]).toEqual([3, 3]);
  expect(reports.reports).toEqual({ counted: 1, repeated: 1 });
});

it('counts a report that is sent again after the database failed', async () => {
  const { reports, usageLimiter, release, fail } = setUp();
  const first = reports.add('service:one', report);
  fail();
  await expect(first).rejects.toThrow('Connection terminated');
  expect(usageLimiter.unwritten).toBe(0);
  const second = reports.add('service:one', report);
  release();
  expect(await second).toBe(1);
  expect(usageLimiter.unwritten).toBe(3);
});

it.each(['uses', 'verdicts'])(
  'rejects a report while too many %s wait to be written, and counts none of it',
  async (what) => {
    const { reports, usageLimiter, statistics, release } = setUp();
    for (let key = 0; key < 200_000; key++) {
      if (what === 'uses') usageLimiter.count(`key ${key}`, 1);
      else statistics.count(`key ${key}`, 'VALID');
    }
    const before = [usageLimiter.unwritten, statistics.unwritten];
    const rejected = reports.add('service:one', report);
    release();
    await expect(rejected).rejects.toMatchObject({ code: 'unavailable', headers: { 'Retry-After': '1' } });
    expect([usageLimiter.unwritten, statistics.unwritten]).toEqual(before);
    expect(reports.reports).toEqual({ counted: 0, repeated: 0 });
  },
);
