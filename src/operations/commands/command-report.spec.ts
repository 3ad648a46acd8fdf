import { reportLine } from './command-report.js';

it('separates a name of any length from its value', () => {
  expect([reportLine('owners', 2), reportLine('events'), reportLine('idempotent_answers', 0)]).toEqual([
    'owners      2',
    'events      -',
    'idempotent_answers 0',
  ]);
});
