import fc from 'fast-check';
import { SCOPES } from '../principals/scopes.js';
import { BUILT_IN_ROUTES, type Route, RouteTable } from './route-table.js';

const table = new RouteTable(BUILT_IN_ROUTES);

const ID = '0714f35b-08aa-4c2b-9df4-ddaa276d4ed0';
const CID = 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi';

it.each([
  ['POST', '/api/pinning', 'pinning.pin_file_to_ipfs'],
  ['POST', '/api/pinning/pinByHash', 'pinning.pin_by_hash'],
  ['DELETE', `/api/pinning/unpin/${ID}`, 'pinning.unpin'],
  ['GET', '/api/pinning/pins', 'data.pin_list'],
  ['GET', `/api/pinning/${CID}`, 'data.pin_list'],
  ['POST', '/api/nft', 'pin_nft.pin_nft_to_ipfs'],
  ['DELETE', `/api/nft/unpin/${ID}`, 'pin_nft.unpin_nft'],
  ['GET', '/api/nft/nfts', 'data.nft_list'],
  ['GET', '/api/nft/~a.b_c-1', 'data.nft_list'],
])('%s %s needs %s, also with a trailing slash or a query, in any case', (method, path, scope) => {
  const spellings = [path, `${path}/`, `${path}?`, `${path}?limit=5&at=/../x%2f`, `${path}/?q=\u00fc`];
  const inAnyCase = [...spellings, path.toUpperCase(), path.toLowerCase()];
  expect(inAnyCase.map((uri) => table.accessTo(method, uri))).toEqual(inAnyCase.map(() => [scope]));
});

it('guards something with every scope but admin', () => {
  expect(new Set(BUILT_IN_ROUTES.map(({ scope }) => scope))).toEqual(
    new Set(SCOPES.filter((name) => name !== 'admin')),
  );
});

it('takes HEAD for GET, and no other method for another', () => {
  expect(table.accessTo('HEAD', '/api/pinning/pins')).toEqual(['data.pin_list']);
  expect(table.accessTo('HEAD', '/api/pinning')).toEqual(['admin']);
  for (const method of ['get', 'PUT', 'PATCH', 'OPTIONS', 'POST', '', 'GET ']) {
    expect(table.accessTo(method, '/api/pinning/pins')).toEqual(['admin']);
  }
});

it.each([
  '/',
  '/api',
  '/api/users',
  '/api/pinning',
  '/api/pinning/',
  '/api/nft?x',
  '/api/apiKeys',
  '/x/api/pinning/pins',
  '/api/pinning/pins/x',
  '/api/pinning/a/b',
])('opens what the table lacks to admins alone: GET %s', (uri) => {
  for (const method of ['GET', 'HEAD']) expect(table.accessTo(method, uri)).toEqual(['admin']);
});

it.each([
  ['nothing', ['', '?', '?/api/pinning/pins']],
  [
    'dot segments',
    [
      '/api/pinning/..',
      '/api/pinning/.',
      '/api/pinning/../nft/nfts',
      '/api/./pinning/pins',
      '/../api/pinning/pins',
      '/api/pinning/..?x',
      '/api/pinning/...',
    ],
  ],
  [
    'percent-encoded dot segments',
    ['/api/pinning/%2e%2e', '/api/pinning/%2E', '/api/pinning/.%2e/nft/nfts', '/api/pinning/%252e%252e'],
  ],
  ['encoded slashes', ['/api%2fpinning/pins', '/api/pinning/a%2Fb', '/api/pinning/a%5cb', '/api/pinning/a%252fb']],
  ['doubled slashes', ['//api/pinning/pins', '/api//pinning/pins', '/api/pinning//pins', '/api/pinning/pins//', '//']],
  ['backslashes', ['\\api\\pinning\\pins', '/api/pinning/..\\nft', '/api/pinning/a\\']],
  [
    'control characters and blanks',
    [
      '/api/pinning/a\0',
      '/api/pinning/a\tb',
      '/api/pinning/a\r\nb',
      '/api/pinning/a b',
      '/api/pinning/pins\n',
      '/api/pinning/pins?\n',
      '/api/pinning/a\x7f',
      '/api/pinning/pins?\x01',
    ],
  ],
  ['any percent-encoding', ['/api/pinning/%70ins', '/api/pinning/a%00', '/api/pinning/a%', '/api/pinning/%zz']],
  [
    'parameters of a segment, and fragments',
    ['/api/pinning/..;/nft', '/api/pinning/a;b', '/api/pinning/pins#', '/api/pinning/a#b'],
  ],
  ['what is not ASCII', ['/api/pinning/\u00fc', '/api/pinning/\uff0e\uff0e', '/api/pinning/pins?\u2028']],
  ['whole URLs', ['http://host/api/pinning/pins', 'api/pinning/pins', '*']],
  ['a path over 2,048 characters', [`/api/pinning/${'a'.repeat(2_036)}`, `/api/pinning/${'a'.repeat(100_000)}/`]],
])('denies to every caller: %s', (_, uris) => {
  const methods = ['GET', 'HEAD'];
  expect(uris.flatMap((uri) => methods.map((method) => table.accessTo(method, uri)))).toEqual(
    uris.flatMap(() => methods.map(() => 'not-plain')),
  );
});

it('takes a path of 2,048 characters, whatever its query', () => {
  const uri = `/api/pinning/${'a'.repeat(2_035)}?${'q'.repeat(5_000)}`;
  expect(table.accessTo('GET', uri)).toEqual(['data.pin_list']);
});

it('opens no path that a server could take for another', () => {
  const piece = fc.constantFrom(
    '/',
    '/api',
    '/pinning',
    '/nft',
    '/pins',
    '..',
    '.',
    '%2f',
    '%2e',
    '\\',
    'a',
    ';',
    '?',
    '#',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const uri = pieces.join('');
      const access = table.accessTo('GET', uri);
      if (access === 'not-plain') return;
      const path = uri.split('?', 1)[0] ?? '';
      expect(new URL(path, 'http://host').pathname).toBe(path);
      expect(access.includes('admin') || /^\/api\/(?:pinning|nft)\/[^/%\\;#]+\/?$/.test(path)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

describe('a table of its own', () => {
  const routes: Route[] = [
    { method: 'POST', path: '/api/auth/login', scope: 'public' },
    { method: 'GET', path: '/api/users/:id/Avatar', scope: 'any' },
    { method: 'GET', path: '/api/users/me', scope: 'data.pin_list' },
    { method: 'GET', path: '/api/users/:id', scope: 'admin' },
    { method: 'HEAD', path: '/api/nft/nfts', scope: 'public' },
    { method: 'OPTIONS', path: '/api/*', scope: 'public' },
    { method: 'GET', path: '/', scope: 'any' },
  ];
  const own = new RouteTable([...routes, ...BUILT_IN_ROUTES]);

  it.each([
    ['POST', '/API/auth/Login/', 'public'],
    ['GET', '/api/auth/login', ['admin']],
    ['GET', '/api/users/7/avatar', []],
    ['GET', '/api/users/avatar', ['admin']],
    ['GET', '/api/users/7/8/avatar', ['admin']],
    ['GET', '/api/users/ME', ['data.pin_list']],
    ['GET', '/api/users/meow', ['admin']],
    ['HEAD', '/api/nft/nfts', 'public'],
    ['GET', '/api/nft/nfts', ['data.nft_list']],
    ['OPTIONS', '/api/pinning/a/b', 'public'],
    ['OPTIONS', '/api', ['admin']],
    ['OPTIONS', '/apia/b', ['admin']],
    ['OPTIONS', '/api/../b', 'not-plain'],
    ['GET', '/', []],
    ['GET', '/?x', []],
  ])('is asked in its order, before the built-in one: %s %s', (method, uri, access) => {
    expect(own.accessTo(method, uri)).toEqual(access);
  });
});
