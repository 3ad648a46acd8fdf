import { OutageLog } from './outage-log.js';

let now: number;
let lines: string[];
let log: OutageLog;
beforeEach(() => {
  [now, lines] = [0, []];
  const logger = {
    warn: (line: string) => lines.push(`warn ${line}`),
    log: (line: string) => lines.push(`log ${line}`),
  };
  log = new OutageLog(logger, () => now);
});

it('logs once at the start of an outage, once a minute, and once on recovery', () => {
  for (now = 0; now < 150_000; now += 200) log.failed('It is unavailable.');
  log.recovered('It is available again.');
  log.recovered('It is available again.');
  expect(lines).toEqual([
    'warn It is unavailable.',
    'warn It is unavailable. The outage has lasted 60 s, with 301 failed attempts.',
    'warn It is unavailable. The outage has lasted 120 s, with 601 failed attempts.',
    'log It is available again. The outage lasted 150 s, with 750 failed attempts.',
  ]);
});

it('logs no recovery without an outage, and logs the next outage', () => {
  log.recovered('It is available again.');
  for (const _ of [1, 2]) {
    log.failed('It is unavailable.');
    log.recovered('It is available again.');
  }
  expect(lines).toEqual([
    'warn It is unavailable.',
    'log It is available again. The outage lasted 0 s, with 1 failed attempt.',
    'warn It is unavailable.',
    'log It is available again. The outage lasted 0 s, with 1 failed attempt.',
  ]);
});
