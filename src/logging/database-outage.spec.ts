import { DatabaseUnavailableError } from '../database/database-unavailable.js';
import { DatabaseOutage } from './database-outage.js';

let now: number;
let lines: string[];
let reported: string[];
let outage: DatabaseOutage;
beforeEach(() => {
  [now, lines, reported] = [0, [], []];
  const say = (line: string) => lines.push(line);
  outage = new DatabaseOutage({ warn: say, log: say }, () => now);
});

const report = (error: unknown) =>
  outage.report(
    { warn: (line: string) => reported.push(`warn ${line}`), debug: (line: string) => reported.push(`debug ${line}`) },
    'The write failed',
    error,
  );
const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), {
  code: 'ECONNREFUSED',
  syscall: 'connect',
});
/** The server's error for a statement that took too long. */
const slow = Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' });

it('logs one line however many notice the outage, and one on recovery', () => {
  for (now = 0; now < 36_000; now += 200) {
    for (const _ of [1, 2]) report(refused);
    outage.feedFailed(new DatabaseUnavailableError(refused));
  }
  outage.feedSucceeded();
  outage.feedSucceeded();
  expect(lines).toEqual([
    'The database is unavailable (connect ECONNREFUSED 127.0.0.1:5432).',
    'The database is available again. The outage lasted 36 s, with 540 failed attempts.',
  ]);
});

it('logs the effect on the feed and the reason, once a minute', () => {
  const addresses = new AggregateError([refused, new Error('connect ECONNREFUSED ::1:5432')]);
  for (now = 0; now <= 60_000; now += 200) outage.feedFailed(new DatabaseUnavailableError(addresses));
  const line =
    'The database is unavailable (connect ECONNREFUSED 127.0.0.1:5432; connect ECONNREFUSED ::1:5432). ' +
    'Invalidations may be missed; cached keys are served for STALE_IF_ERROR_SECONDS.';
  expect(lines).toEqual([line, `${line} The outage has lasted 60 s, with 301 failed attempts.`]);
});

it('ignores late failures of work that began before the recovery', () => {
  outage.feedFailed(refused);
  outage.feedSucceeded();
  now = 5_000;
  report(refused);
  expect(lines).toHaveLength(2);
  now = 7_000;
  report(refused);
  expect(lines).toHaveLength(3);
});

it('does not flap if statements fail while the feed is healthy', () => {
  for (now = 0; now < 30_000; now += 1_000) {
    report(slow);
    outage.feedSucceeded();
  }
  expect(lines).toHaveLength(1);
  now += 10_000;
  outage.feedSucceeded();
  expect(lines).toHaveLength(2);
});

it('logs a failed statement as a warning each time, not as an outage', () => {
  for (const _ of [1, 2]) report(Object.assign(new Error('syntax error'), { code: '42601' }));
  expect(lines).toEqual([]);
  expect(reported).toEqual(Array(2).fill('warn The write failed (Error: syntax error).'));
  report(refused);
  expect(reported.at(-1)).toBe('debug The write failed (Error: connect ECONNREFUSED 127.0.0.1:5432).');
});
