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

it('says it once when something goes, once a minute, and once when it is back', () => {
  for (now = 0; now < 150_000; now += 200) log.failed('It is away.');
  log.recovered('It is back.');
  log.recovered('It is back.');
  expect(lines).toEqual([
    'warn It is away.',
    'warn It is away. It has been so for 60 s, with 301 failed attempts.',
    'warn It is away. It has been so for 120 s, with 601 failed attempts.',
    'log It is back. It took 150 s, with 750 failed attempts.',
  ]);
});

it('says nothing of what was never away, and says the next time anew', () => {
  log.recovered('It is back.');
  for (const _ of [1, 2]) {
    log.failed('It is away.');
    log.recovered('It is back.');
  }
  expect(lines).toEqual([
    'warn It is away.',
    'log It is back. It took 0 s, with 1 failed attempt.',
    'warn It is away.',
    'log It is back. It took 0 s, with 1 failed attempt.',
  ]);
});
