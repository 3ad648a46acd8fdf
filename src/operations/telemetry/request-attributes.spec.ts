import type { IncomingMessage } from 'node:http';
import { requestAttributes, spanName } from './request-attributes.js';

const request = (parts: object) =>
  ({
    method: 'GET',
    url: '/api/apiKeys/list?limit=3&token=x',
    headers: { host: 'keys.example:8080', 'user-agent': 'curl/8' },
    httpVersion: '1.1',
    socket: { remoteAddress: '10.0.0.1', remotePort: 4_000 },
    ...parts,
  }) as unknown as IncomingMessage;
const origin = { address: '192.0.2.7', isProxied: false };

it('are those of the conventions for servers, without the query', () => {
  expect(requestAttributes(request({}), origin)).toEqual({
    'http.request.method': 'GET',
    'url.path': '/api/apiKeys/list',
    'url.scheme': 'http',
    'server.address': 'keys.example',
    'server.port': 8_080,
    'client.address': '192.0.2.7',
    'network.peer.address': '10.0.0.1',
    'network.peer.port': 4_000,
    'network.protocol.version': '1.1',
    'user_agent.original': 'curl/8',
  });
});

it('trust the scheme of trusted proxies only, and derive the port', () => {
  const forwarded = request({ headers: { host: '[2001:db8::1]', 'x-forwarded-proto': 'https' } });
  const attributesOf = (isProxied: boolean) => requestAttributes(forwarded, { ...origin, isProxied });
  expect(attributesOf(true)).toMatchObject({
    'url.scheme': 'https',
    'server.address': '[2001:db8::1]',
    'server.port': 443,
  });
  expect(attributesOf(false)).toMatchObject({ 'url.scheme': 'http', 'server.port': 80 });
});

it('take no method name from a client', () => {
  const made = requestAttributes(request({ method: 'PROPFIND', headers: {} }), {
    address: undefined,
    isProxied: false,
  });
  expect(made).toMatchObject({ 'http.request.method': '_OTHER', 'http.request.method_original': 'PROPFIND' });
  expect(Object.keys(made)).not.toEqual(expect.arrayContaining(['client.address']));
  expect([spanName('PROPFIND'), spanName('GET'), spanName('GET', '/x')]).toEqual(['HTTP', 'GET', 'GET /x']);
});
