import { parsedRequest } from '../../test/support/parsed-request.js';
import { ORDINARY_BOUNDS } from './body/body-bounds.js';
import { isSimpleRequest } from './simple-request.js';

const HOST = 'Host: keys.example.com';
const JSON_TYPE = 'Content-Type: application/json';

it.each([
  ['GET', [HOST]],
  ['GET', [HOST, 'Accept: */*', 'pinning_api_key: a', 'pinning_secret_key: b']],
  ['POST', [HOST, JSON_TYPE, 'Content-Length: 2']],
  ['POST', [HOST, `${JSON_TYPE}; charset=utf-8`, `Content-Length: ${ORDINARY_BOUNDS.bytes}`]],
  ['POST', [HOST, `${JSON_TYPE};charset=UTF-8`, 'Content-Length: 2']],
])('is simple: %s %j', async (method, lines) => {
  expect(isSimpleRequest(await parsedRequest(lines, `${method} /`))).toBe(true);
});

it.each([
  ['no host (RFC 9112, 3.2)', 'GET', []],
  ['a repeated header', 'GET', [HOST, 'X-A: 1', 'X-A: 1']],
  ['a GET with content (RFC 9110, 9.3.1)', 'GET', [HOST, 'Content-Length: 0']],
  ['an expectation (RFC 9110, 10.1.1)', 'POST', [HOST, JSON_TYPE, 'Content-Length: 2', 'Expect: x']],
  ['a chunked body (RFC 9112, 7.1)', 'POST', [HOST, JSON_TYPE, 'Transfer-Encoding: chunked']],
  ['a body of unknown length', 'POST', [HOST, JSON_TYPE]],
  ['an empty body', 'POST', [HOST, JSON_TYPE, 'Content-Length: 0']],
  ['a body over the limit', 'POST', [HOST, JSON_TYPE, `Content-Length: ${ORDINARY_BOUNDS.bytes + 1}`]],
  ['no content type', 'POST', [HOST, 'Content-Length: 2']],
  ['another content type', 'POST', [HOST, 'Content-Type: text/plain', 'Content-Length: 2']],
  ['another character set (RFC 8259, 8.1)', 'POST', [HOST, `${JSON_TYPE}; charset=latin1`, 'Content-Length: 2']],
  ['an encoded body (RFC 9110, 8.4)', 'POST', [HOST, JSON_TYPE, 'Content-Length: 2', 'Content-Encoding: gzip']],
])('is not simple: %s', async (_, method, lines) => {
  expect(isSimpleRequest(await parsedRequest(lines, `${method} /`))).toBe(false);
});
