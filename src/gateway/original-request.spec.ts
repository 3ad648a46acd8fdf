import { parsedRequest } from '../../test/support/parsed-request.js';
import { namesOriginalRequest, originalQueries, originalRequest, prefixedRequest } from './original-request.js';

const METHOD = 'X-Original-Method: GET';
const URI = 'X-Original-URI: /api/pinning/pins?limit=5';
const FORWARDED = ['X-Forwarded-Method: GET', 'X-Forwarded-Uri: /api/pinning/pins?limit=5'];
const expected = { method: 'GET', uri: '/api/pinning/pins?limit=5' };

it.each([
  ['nginx', [METHOD, URI]],
  ['Traefik or Caddy', FORWARDED],
  ['both, if they agree', [METHOD, URI, ...FORWARDED]],
  [
    'ingress-nginx, with a whole URL',
    [METHOD, 'X-Original-URL: https://api.example.com:8443/api/pinning/pins?limit=5'],
  ],
  ['an IPv6 host (RFC 3986, 3.2.2)', [METHOD, 'X-Original-URL: http://[2001:db8::1]/api/pinning/pins?limit=5']],
  ['a scheme in any case (RFC 3986, 3.1)', [METHOD, 'X-Original-URL: HTTPS://H/api/pinning/pins?limit=5']],
  ['a path and a URL that agree', [METHOD, URI, 'X-Original-URL: http://h/api/pinning/pins?limit=5']],
])('reads the request from the headers of %s', async (_, lines) => {
  const request = await parsedRequest(lines);
  expect([originalRequest(request), namesOriginalRequest(request)]).toEqual([expected, true]);
});

it('passes methods and paths on as they are: methods are case-sensitive (RFC 9110, 9.1)', async () => {
  const request = await parsedRequest(['X-Original-Method: get', 'X-Original-URI: //a/%2e%2e;b']);
  expect(originalRequest(request)).toEqual({ method: 'get', uri: '//a/%2e%2e;b' });
});

it.each<[string, string[], boolean]>([
  ['no headers', [], false],
  ['a method alone', [METHOD], false],
  ['a path alone', [URI], false],
  ['a method and a path of different gateways', [METHOD, 'X-Forwarded-Uri: /api/pinning/pins'], false],
  ['two methods', [METHOD, METHOD, URI], true],
  ['two paths', [METHOD, URI, URI], true],
  ['gateways that disagree on the method', [METHOD, URI, 'X-Forwarded-Method: POST', FORWARDED[1] ?? ''], true],
  ['gateways that disagree on the path', [METHOD, URI, FORWARDED[0] ?? '', 'X-Forwarded-Uri: /'], true],
  ['a second gateway that names no path', [METHOD, URI, 'X-Forwarded-Method: GET'], true],
  ['a path and a URL that disagree', [METHOD, URI, 'X-Original-URL: http://h/api'], true],
  ['a URL without a path', [METHOD, 'X-Original-URL: http://h'], true],
  ['a URL with user information (RFC 3986, 3.2.1)', [METHOD, 'X-Original-URL: http://a@h/api'], true],
  ['a URL of another scheme', [METHOD, 'X-Original-URL: file:///api'], true],
  ['a path where a URL belongs', [METHOD, 'X-Original-URL: /api'], true],
])('takes no request from %s', async (_, lines, names) => {
  const request = await parsedRequest(lines);
  expect([originalRequest(request), namesOriginalRequest(request)]).toEqual([undefined, names]);
});

it.each([
  ['/api/apiKeys/authorize/at/api/nft?a=b', '/api/nft?a=b'],
  ['/API/apikeys/authorize/AT/', '/'],
  ['/api/apiKeys/authorize/at/api/apiKeys/authorize/at/x', '/api/apiKeys/authorize/at/x'],
])('reads the request behind the prefix of %s', async (url, uri) => {
  expect(prefixedRequest(await parsedRequest([], `DELETE ${url}`))).toEqual({ method: 'DELETE', uri });
});

it.each(['/api/apiKeys/authorize/at', '/api/apiKeys/authorize/attic', '/x/api/apiKeys/authorize/at/a'])(
  'reads none from %s',
  async (url) => {
    expect(prefixedRequest(await parsedRequest([], `GET ${url}`))).toBeUndefined();
  },
);

it('lists the queries of all paths, also of those that are invalid or repeated', async () => {
  const lines = ['X-Original-URI: /a?1', 'X-Original-URI: /b?2?3', 'X-Original-URL: c?4', 'X-Forwarded-Uri: /d'];
  expect(originalQueries(await parsedRequest(lines))).toEqual(['1', '2?3', '4']);
});
