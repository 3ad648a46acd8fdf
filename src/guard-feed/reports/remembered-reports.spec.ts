import { RememberedReports } from './remembered-reports.js';

let reports: RememberedReports;
beforeEach(() => {
  reports = new RememberedReports();
});

it('remembers reports by guard and number, in any order', () => {
  reports.add('one', 2, 20);
  reports.add('one', 1, 10);
  reports.add('other', 1, 0);
  expect(reports.acceptedOf('one', 1)).toBe(10);
  expect(reports.acceptedOf('one', 2)).toBe(20);
  expect(reports.acceptedOf('other', 1)).toBe(0);
  expect(reports.acceptedOf('other', 2)).toBeUndefined();
  expect(reports.acceptedOf('another', 1)).toBeUndefined();
});

it('forgets the oldest report of a guard over 32', () => {
  for (let seq = 1; seq <= 33; seq++) reports.add('one', seq, seq);
  expect(reports.acceptedOf('one', 1)).toBeUndefined();
  expect(reports.acceptedOf('one', 2)).toBe(2);
  expect(reports.acceptedOf('one', 33)).toBe(33);
});

it('forgets the guard that reported least recently over 10,000', () => {
  reports.add('rare', 1, 1);
  for (let guard = 1; guard < 10_000; guard++) reports.add(`guard ${guard}`, 1, 1);
  reports.add('rare', 2, 1);
  reports.add('one more', 1, 1);
  expect(reports.acceptedOf('rare', 1)).toBe(1);
  expect(reports.acceptedOf('guard 1', 1)).toBeUndefined();
  expect(reports.acceptedOf('guard 2', 1)).toBe(1);
});
