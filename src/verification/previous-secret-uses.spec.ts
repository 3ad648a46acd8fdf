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

const use = (id: string, storedHash = 'a hash', at?: number) => uses.record({ id, storedHash }, at);

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

it('keeps the latest use, in whatever order uses arrive', async () => {
  use('one');
  use('one', 'a hash', clock.time - 1_000);
  use('other', 'before the rotation');
  use('other', 'after the rotation', clock.time - 1_000);
  database.answer = () => Promise.reject(new Error('Connection terminated'));
  const failing = uses.flush();
  use('one', 'a hash', clock.time - 2_000);
  await failing;
  database.answer = () => Promise.resolve([]);
  await uses.flush();
  const [ids, hashes, times] = database.written[1] ?? [[], [], []];
  expect(Object.fromEntries(ids.map((id, i) => [id, [hashes[i], times[i]]]))).toEqual({
    one: ['a hash', new Date(clock.time)],
    other: ['after the rotation', new Date(clock.time - 1_000)],
  });
});
