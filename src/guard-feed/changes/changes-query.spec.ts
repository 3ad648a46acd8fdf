import { ValidationError } from '../../http/errors/api-error.js';
import { readChangesQuery } from './changes-query.js';

const read = (query: string) => readChangesQuery(`/api/apiKeys/changes${query}`);

it.each([
  ['', undefined, 0],
  ['?wait_ms=250', undefined, 250],
  ['?since=757&wait_ms=1000', 757n, 1_000],
  ['?since=9223372036854775807', 9223372036854775807n, 0],
])('reads %s', (query, since, waitMs) => {
  expect(read(query)).toEqual({ since, waitMs });
});

it.each([
  ['?since=', ['since']],
  ['?since=-1&wait_ms=1001', ['since', 'wait_ms']],
  ['?since=1e3&wait_ms=0.5', ['since', 'wait_ms']],
  [`?since=${'9'.repeat(20)}`, ['since']],
  ['?wait_ms=1&wait_ms=2', ['wait_ms']],
  ['?wait=1', ['wait']],
])('names what is wrong with %s', (query, paths) => {
  const error = caught(() => read(query));
  expect(error).toBeInstanceOf(ValidationError);
  expect((error as ValidationError).details?.map(({ path }) => path)).toEqual(paths);
});

function caught(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
