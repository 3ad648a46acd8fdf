import { DataSource, type EntityManager } from 'typeorm';
import { KeyInvalidations } from './key-invalidations.js';
import { KeyTransactions } from './key-transactions.js';

/** What happens, in order: statements, invalidations, the end of the transaction. */
let log: string[];
let commit: () => Promise<void>;
let transactions: KeyTransactions;
let invalidations: KeyInvalidations;

beforeEach(() => {
  log = [];
  commit = () => Promise.resolve(void log.push('committed'));
  const unconnected = new DataSource({ type: 'postgres' });
  const tx = Object.assign(unconnected.createEntityManager(), {
    query: (sql: string, [texts]: string[][] = []) =>
      Promise.resolve(
        texts && log.push(`${sql.includes('pg_notify') ? 'notified' : 'recorded'} ${texts.join()}`)
          ? [{ transaction_id: '757' }]
          : [],
      ),
  });
  const transaction = async <T>(work: (manager: EntityManager) => Promise<T>): Promise<T> => {
    const result = await work(tx);
    await commit();
    return result;
  };
  invalidations = new KeyInvalidations();
  invalidations.subscribe((dropped) => log.push(`dropped ${dropped.map(({ identifier }) => identifier).join()}`));
  transactions = new KeyTransactions(Object.assign(unconnected, { transaction }), invalidations);
});

it('records the invalidations in the transaction, and drops the keys after it', async () => {
  const result = await transactions.run('ann', async (uow) => {
    uow.invalidate('one', 'two');
    uow.announce('text');
    uow.invalidateQuietly('quiet');
    return Promise.resolve(7);
  });
  expect(result).toBe(7);
  expect(log).toEqual(['notified one,two,text', 'recorded quiet', 'committed', 'dropped one,two,text,quiet']);
});

it('reports the id of the transaction with what it invalidated', async () => {
  const reported: unknown[] = [];
  invalidations.subscribe((dropped) => reported.push(...dropped));
  await transactions.run('ann', (uow) => Promise.resolve(uow.invalidate('one')));
  expect(reported).toEqual([{ identifier: 'one', transactionId: '757' }]);
});

it('stores the answer in the transaction', async () => {
  const slot = { store: (_: EntityManager, answer: number) => Promise.resolve(void log.push(`stored ${answer}`)) };
  await transactions.run('ann', () => Promise.resolve(7), slot);
  expect(log).toEqual(['stored 7', 'committed', 'dropped ']);
});

it('drops the keys even if the acknowledgement of the commit was lost', async () => {
  commit = () => Promise.reject(new Error('Connection lost'));
  const run = transactions.run('ann', (uow) => Promise.resolve(uow.invalidate('one')));
  await expect(run).rejects.toThrow('Connection lost');
  expect(log).toEqual(['notified one', 'dropped one']);
});

it('drops nothing if the work fails', async () => {
  const failure = new Error('Not found');
  const run = transactions.run('ann', (uow) => {
    uow.invalidate('one');
    return Promise.reject(failure);
  });
  await expect(run).rejects.toBe(failure);
  expect(log).toEqual([]);
});

it('repeats the work with a new unit if the transaction loses a conflict', async () => {
  let attempts = 0;
  commit = () => (++attempts < 3 ? Promise.reject(Object.assign(new Error(), { code: '40001' })) : Promise.resolve());
  await transactions.run('ann', (uow) => Promise.resolve(uow.invalidate('one')));
  expect(log).toEqual(['notified one', 'notified one', 'notified one', 'dropped one']);
});
