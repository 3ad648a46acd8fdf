import { reportLine } from './command-report.js';

it('puts a blank between a name and its value, however long the name is', () => {
  expect([reportLine('owners', 2), reportLine('events'), reportLine('idempotent_answers', 0)]).toEqual([
    'owners      2',
    'events      -',
    'idempotent_answers 0',
  ]);
});
