import { ValidationError } from '../../http/errors/api-error.js';
import { readChangesQuery } from './changes-query.js';

const read = (query: string) => readChangesQuery(`/api/apiKeys/changes${query}`);

it.each([
  ['', undefined, undefined, 0],
  ['?wait_ms=250', undefined, undefined, 250],
  ['?since=757&epoch=q2vJ8x0aRk3LmNcT&wait_ms=1000', 757n, 'q2vJ8x0aRk3LmNcT', 1_000],
  ['?since=9223372036854775807', 9223372036854775807n, undefined, 0],
])('reads %s', (query, since, epoch, waitMs) => {
  expect(read(query)).toEqual({ since, epoch, waitMs });
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
