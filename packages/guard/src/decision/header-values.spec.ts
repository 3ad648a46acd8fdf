import { parsedRequest } from '../../../../test/support/parsed-request.js';
import { addHeader, headerValues, repeatsHeaders } from './header-values.js';

it.each<[string, string[], string[], string[]]>([
  ['no header', [], ['x-a'], []],
  ['another header', ['X-B: 1'], ['x-a'], []],
  ['one header', ['X-A: 1', 'X-B: 2'], ['x-a'], ['1']],
  ['a header in any case (RFC 9110, 5.1)', ['x-A: 1'], ['x-a'], ['1']],
  ['an empty header', ['X-A:'], ['x-a'], ['']],
  ['a value with commas, which is one line', ['X-A: 1, 2'], ['x-a'], ['1, 2']],
  ['two lines, which Node joins', ['X-A: 1', 'x-a: 2'], ['x-a'], ['1', '2']],
  [
    'two lines, of which Node drops the second',
    ['Authorization: 1', 'Authorization: 2'],
    ['authorization'],
    ['1', '2'],
  ],
  ['two spellings', ['x-a: 2', 'x_a: 1'], ['x_a', 'x-a'], ['1', '2']],
  ['two spellings, one of them twice', ['x-a: 2', 'x_a: 1', 'x-a: 3'], ['x_a', 'x-a'], ['1', '2', '3']],
])('reads the values of %s', async (_, lines, spellings, values) => {
  expect(headerValues(await parsedRequest(lines), ...spellings)).toEqual(values);
});

it.each<[string, string[], boolean]>([
  ['no headers', [], false],
  ['different headers', ['X-A: 1', 'X-B: 1'], false],
  ['the same header in two cases', ['X-A: 1', 'x-a: 1'], true],
  ['a cookie twice, which HTTP/2 allows (RFC 9113, 8.2.3)', ['Cookie: a=1', 'Cookie: b=2'], true],
])('notices repeated headers: %s', async (_, lines, repeats) => {
  const request = await parsedRequest(lines);
  expect([repeatsHeaders(request), repeatsHeaders(request)]).toEqual([repeats, repeats]);
});

it('knows that a header was repeated, though another was added, and however many other requests come between', async () => {
  const lines = ['Idempotency-Key: a', 'Idempotency-Key: b'];
  const [request, other] = [await parsedRequest(lines), await parsedRequest(['X-A: 1'])];
  expect(repeatsHeaders(request)).toBe(true);
  expect(repeatsHeaders(other)).toBe(false);
  addHeader(request, 'x-added', '1');
  expect(request.headers['x-added']).toBe('1');
  expect(headerValues(request, 'idempotency-key')).toEqual(['a', 'b']);
});
