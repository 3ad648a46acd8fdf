import { parsedRequest } from '../../test/support/parsed-request.js';
import { ApiError, type ErrorDetail, ValidationError } from '../http/errors/api-error.js';
import { type AuthorizeRequest, readAuthorizeRequest } from './authorize-request.js';
import { BUILT_IN_ROUTES, RouteTable } from './route-table.js';

const table = new RouteTable(BUILT_IN_ROUTES);

async function read(query: string, lines: readonly string[] = []): Promise<AuthorizeRequest> {
  return readAuthorizeRequest(await parsedRequest(lines, `GET /api/apiKeys/authorize${query}`), table);
}

const original = (method: string, uri: string) => [`X-Original-Method: ${method}`, `X-Original-URI: ${uri}`];

it.each<[string, string[], AuthorizeRequest]>([
  ['?scope=pinning.unpin', [], { access: ['pinning.unpin'], denyAs403: false }],
  ['?scope=admin,data.pin_list&deny=403', [], { access: ['admin', 'data.pin_list'], denyAs403: true }],
  ['?scope=data%2Epin_list', [], { access: ['data.pin_list'], denyAs403: false }],
  ['', original('DELETE', '/api/pinning/unpin/7'), { access: ['pinning.unpin'], denyAs403: false }],
  ['?deny=403', original('GET', '/api/users'), { access: ['admin'], denyAs403: true }],
  ['', original('GET', '/api//nft'), { access: 'not-plain', denyAs403: false }],
  ['', [...original('GET', '/a'), 'X-Original-URI: /b'], { access: 'uncertain', denyAs403: false }],
])('reads %s with %j', async (query, lines, request) => {
  expect(await read(query, lines)).toEqual(request);
});

it('lets the scope take precedence over the route', async () => {
  const { access } = await read('?scope=admin', original('GET', '/api/pinning/pins'));
  expect(access).toEqual(['admin']);
});

it.each<[string, string[]]>([
  ['', ['scope']],
  ['?deny=403', ['scope']],
  ['?scope=', ['scope']],
  ['?scope=pin_list', ['scope']],
  ['?scope=admin,', ['scope']],
  ['?scope=admin&scope=data.pin_list', ['scope']],
  ['?scope=admin&deny=401', ['deny']],
  ['?scope=admin&deny=403&deny=403', ['deny']],
  ['?scope=admin&scopes=admin', ['scopes']],
  ['?scope=admin&__proto__=1&toString=2', ['__proto__', 'toString']],
  ['?scope=x&deny=y&more=z', ['more', 'scope', 'deny']],
])('rejects %s, naming every problem', async (query, paths) => {
  const error = await caught(read(query));
  expect(error).toBeInstanceOf(ValidationError);
  expect((error as ValidationError).details?.map(({ path }: ErrorDetail) => path)).toEqual(paths);
});

it.each<[string, string, number]>([
  ['?scope=admin', '/?scope=admin', 400],
  ['?scope=admin&deny=403', '/?a=b&scope=admin', 403],
  ['?scope=data.pin_list', '/?scope=data%2Epin_list', 400],
])("rejects %s as the client's own query, for %s, with %i", async (query, uri, status) => {
  const error = (await caught(read(query, original('GET', uri)))) as ApiError;
  expect([error.code, error.status, error.details?.map(({ path }) => path)]).toEqual([
    'validation_failed',
    status,
    ['scope'],
  ]);
});

it('lets clients have the same parameters with other values', async () => {
  const { access } = await read('?scope=admin', original('GET', '/?scope=data.pin_list&deny=403'));
  expect(access).toEqual(['admin']);
});

async function caught(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
