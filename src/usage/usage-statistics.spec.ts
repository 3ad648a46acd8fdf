import type { DataSource } from 'typeorm';
import { TestClock } from '../../test/support/clock.js';
import { UsageStatistics } from './usage-statistics.js';

it('keeps verdicts of a bounded number of keys for the next write, and counts the verdicts it drops', async () => {
  let written = 0;
  const transaction = (work: (tx: object) => Promise<unknown>) =>
    work({
      query: (_: string, parameters?: unknown[][]) => {
        written += parameters?.[0]?.length ?? 0;
        return Promise.resolve([]);
      },
    });
  const query = () => Promise.resolve([]);
  const statistics = new UsageStatistics({ transaction, query } as unknown as DataSource, new TestClock());
  for (let key = 0; key < 200_010; key++) statistics.count(`key ${key}`, 'VALID');
  statistics.count('key 0', 'REVOKED');
  expect(statistics.lost).toBe(10);
  await statistics.flush();
  expect(written).toBe(200_001);
  statistics.count('key 200009', 'VALID');
  expect(statistics.lost).toBe(10);
});

it('says for how many further keys there is room', () => {
  const statistics = new UsageStatistics({} as DataSource, new TestClock());
  for (let key = 0; key < 199_990; key++) statistics.count(`key ${key}`, 'VALID');
  expect([statistics.hasRoomFor(10), statistics.hasRoomFor(11)]).toEqual([true, false]);
});
