import { QueryFailedError } from 'typeorm';
import { ApiError } from '../../http/errors/api-error.js';
import { retryConflicts } from './retry-conflicts.js';

const failure = (code: string) => new QueryFailedError('', [], Object.assign(new Error(code), { code }));

/** Work that fails a number of times before it succeeds. */
function failing(times: number, code: string) {
  const work = { tries: 0, run: () => Promise.resolve('done') };
  work.run = () => (++work.tries <= times ? Promise.reject(failure(code)) : Promise.resolve('done'));
  return work;
}

it.each(['40P01', '40001'])('retries a transaction that the database aborted with %s', async (code) => {
  const work = failing(3, code);
  expect([await retryConflicts(work.run), work.tries]).toEqual(['done', 4]);
});

it.each([
  ['40P01', 5],
  ['40001', 5],
  // A lock timeout is not retried: the caller has waited long enough
  ['55P03', 1],
])('reports unavailability after %s and %d tries', async (code, tries) => {
  const work = failing(100, code);
  const error: unknown = await retryConflicts(work.run).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ code: 'unavailable', headers: { 'Retry-After': '1' } });
  expect(work.tries).toBe(tries);
});

it('rethrows every other failure at once', async () => {
  const work = failing(1, '23505');
  await expect(retryConflicts(work.run)).rejects.toMatchObject({ driverError: { code: '23505' } });
  expect(work.tries).toBe(1);
});
