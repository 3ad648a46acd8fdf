import { Logger } from '@nestjs/common';
import { TestClock } from '../../test/support/clock.js';
import { KeptLog } from '../../test/support/log.js';
import { PreviousSecretUses } from './previous-secret-uses.js';

type Parameters = [ids: string[], hashes: (string | null)[], times: Date[]];

/** A database that records what is written, and answers each statement with the ids of the rows that it skipped. */
function fakeDatabase() {
  const written: Parameters[] = [];
  const database = {
    written,
    answer: (): Promise<string[]> => Promise.resolve([]),
    query: async <T>(_: string, parameters?: unknown): Promise<T> => {
      written.push(parameters as Parameters);
      return (await database.answer()).map((id) => ({ id })) as T;
    },
  };
  return database;
}

let database: ReturnType<typeof fakeDatabase>;
let clock: TestClock;
let uses: PreviousSecretUses;
beforeAll(() => Logger.overrideLogger(new KeptLog()));
beforeEach(() => {
  [database, clock] = [fakeDatabase(), new TestClock()];
  uses = new PreviousSecretUses(database, clock);
});

const use = (id: string, storedHash = 'a hash') => uses.record({ id, storedHash });

it('writes the last use of each key once', async () => {
  use('one');
  clock.time += 1_000;
  use('one');
  use('other');
  await uses.flush();
  await uses.flush();
  const at = new Date(clock.time);
  expect(database.written).toEqual([
    [
      ['one', 'other'],
      ['a hash', 'a hash'],
      [at, at],
    ],
  ]);
});

it('retries the uses of rows that were locked', async () => {
  database.answer = () => Promise.resolve(database.written.length === 1 ? ['one'] : []);
  use('one');
  use('other');
  await uses.flush();
  await uses.flush();
  expect(database.written.map(([ids]) => ids)).toEqual([['one', 'other'], ['one']]);
});

it('retries every use of a write that failed, unless the secret was used again since', async () => {
  database.answer = () => Promise.reject(new Error('Connection terminated'));
  use('one', 'before the rotation');
  use('other');
  const failing = uses.flush();
  use('one', 'after the rotation');
  await failing;
  database.answer = () => Promise.resolve([]);
  await uses.flush();
  const [ids, hashes] = database.written[1] ?? [[], []];
  expect(Object.fromEntries(ids.map((id, i) => [id, hashes[i]]))).toEqual({
    one: 'after the rotation',
    other: 'a hash',
  });
});
