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
    'It was not done',
    error,
  );
const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), {
  code: 'ECONNREFUSED',
  syscall: 'connect',
});
/** What a server says of a statement that took too long. */
const slow = Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' });

it('is one line, whoever notices first and however many do, and one at the end', () => {
  for (now = 0; now < 36_000; now += 200) {
    for (const _ of [1, 2]) report(refused);
    outage.feedFailed(new DatabaseUnavailableError(refused));
  }
  outage.feedSucceeded();
  outage.feedSucceeded();
  expect(lines).toEqual([
    'The database cannot be used now (connect ECONNREFUSED 127.0.0.1:5432).',
    'The database can be used again. It took 36 s, with 540 failed attempts.',
  ]);
});

it('tells what the change feed cannot do, why, and that once a minute', () => {
  const addresses = new AggregateError([refused, new Error('connect ECONNREFUSED ::1:5432')]);
  for (now = 0; now <= 60_000; now += 200) outage.feedFailed(new DatabaseUnavailableError(addresses));
  const line =
    'The database cannot be used now (connect ECONNREFUSED 127.0.0.1:5432; connect ECONNREFUSED ::1:5432). ' +
    'Changes may be missed; known keys go on for STALE_IF_ERROR_SECONDS.';
  expect(lines).toEqual([line, `${line} It has been so for 60 s, with 301 failed attempts.`]);
});

it('takes what fails late for what had begun before the database was back', () => {
  outage.feedFailed(refused);
  outage.feedSucceeded();
  now = 5_000;
  report(refused);
  expect(lines).toHaveLength(2);
  now = 7_000;
  report(refused);
  expect(lines).toHaveLength(3);
});

it('does not come and go where statements fail while the changes can be read', () => {
  for (now = 0; now < 30_000; now += 1_000) {
    report(slow);
    outage.feedSucceeded();
  }
  expect(lines).toHaveLength(1);
  now += 10_000;
  outage.feedSucceeded();
  expect(lines).toHaveLength(2);
});

it('is not what is wrong with a statement: that is a warning each time', () => {
  for (const _ of [1, 2]) report(Object.assign(new Error('syntax error'), { code: '42601' }));
  expect(lines).toEqual([]);
  expect(reported).toEqual(Array(2).fill('warn It was not done (Error: syntax error).'));
  report(refused);
  expect(reported.at(-1)).toBe('debug It was not done (Error: connect ECONNREFUSED 127.0.0.1:5432).');
});
