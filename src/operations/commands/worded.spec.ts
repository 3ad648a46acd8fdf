import { line } from './worded.js';

it('puts a blank between a name and its value, however long the name is', () => {
  expect([line('owners', 2), line('events'), line('idempotent_answers', 0)]).toEqual([
    'owners      2',
    'events      -',
    'idempotent_answers 0',
  ]);
});
