import { parsedRequest } from '../../test/support/parsed-request.js';
import { headerProblem } from './header-problem.js';

const HOST = 'Host: keys.example.com';
const problemOf = async (lines: string[], start?: string) => headerProblem(await parsedRequest(lines, start));

it.each([
  ['one host', [HOST]],
  ['a chunked body', [HOST, 'Transfer-Encoding: chunked']],
  ['a coding in upper case (RFC 9112, 7)', [HOST, 'Transfer-Encoding: CHUNKED']],
  ['a repeated header that may be repeated', [HOST, 'Accept: a/b', 'Accept: c/d']],
])('accepts %s', async (_, lines) => {
  expect(await problemOf(lines)).toBeUndefined();
});

it.each([
  ['no host', [], 'The header Host is missing.'],
  ['two hosts', [HOST, HOST], 'The header host is given more than once.'],
  [
    'two content types',
    [HOST, 'Content-Type: a/b', 'Content-Type: c/d'],
    'The header content-type is given more than once.',
  ],
  [
    'another transfer coding',
    [HOST, 'Transfer-Encoding: gzip, chunked'],
    'Transfer-Encoding must be chunked; no other coding is supported.',
  ],
])('rejects %s', async (_, lines, message) => {
  expect(await problemOf(lines)).toMatchObject({ code: 'validation_failed', message });
});

it('rejects a fragment in the target, which the router would read as a query', async () => {
  expect(await problemOf([HOST], 'GET /api#?x')).toMatchObject({ code: 'validation_failed' });
});
