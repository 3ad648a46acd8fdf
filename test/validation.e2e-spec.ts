import { NEW_SCOPES, SCOPE_TREE, SCOPES } from '../src/principals/scopes.js';
import { documentedBody, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';

const OWNER = 'careless';

const service = useService();

afterEach(async () => {
  const listed = await service.client.get('/api/apiKeys/list', sessionOf(OWNER));
  expect(listed.body.data.total).toBe(0);
});

const create = (body: unknown, headers: Record<string, string> = {}) =>
  service.client.call('POST', '/api/apiKeys', { headers: { ...sessionOf(OWNER), ...headers }, body });

async function invalidPaths(body: unknown): Promise<string[]> {
  const answer = await create(body);
  expect(answer.status).toBe(400);
  expect(answer.body.error.code).toBe('validation_failed');
  const details = answer.body.error.details as { path: string; message: string }[];
  for (const { message } of details) expect(message).toMatch(/^\S/);
  return details.map(({ path }) => path).toSorted();
}

/** A copy of the body, mutated. */
function mutated(body: object, mutate: (copy: any) => void): object {
  const copy = structuredClone(body);
  mutate(copy);
  return copy;
}

const many = (length: number) => Object.fromEntries(Array.from({ length }, (_, index) => [`p${index}`, 1]));

const GROUPS = Object.keys(SCOPE_TREE);
const FLAGS = SCOPES.filter((scope) => scope !== 'admin');
const REQUIRED_FLAGS = FLAGS.filter((scope) => !NEW_SCOPES.includes(scope));
/** The paths of what is missing where `scopes` has no group. */
const ALL_REQUIRED = [
  ...REQUIRED_FLAGS,
  ...GROUPS.filter((group) => REQUIRED_FLAGS.some((scope) => scope.startsWith(`${group}.`))),
].map((name) => `scopes.${name}`);

describe('the nested scopes', () => {
  it.each([
    ['a missing body', undefined, ['name', 'scopes']],
    ['an empty object', {}, ['name', 'scopes']],
    ['missing scopes', { name: 'x' }, ['scopes']],
    ['scopes that are null', { name: 'x', scopes: null }, ['scopes']],
    ['scopes that are a list', { name: 'x', scopes: [{ admin: true }] }, ['scopes']],
    ['scopes that are text', { name: 'x', scopes: 'admin' }, ['scopes']],
    ['an admin that is text', { name: 'x', scopes: { admin: 'true' } }, ['scopes.admin']],
    [
      'an admin that is a list, and a flag beside it',
      { name: 'x', scopes: { admin: [], data: { pin_list: 1 } } },
      ['scopes.admin', 'scopes.data.pin_list'],
    ],
    ['missing admin', { name: 'x', scopes: { ...powerlessBody.scopes, admin: undefined } }, ['scopes.admin']],
    ['a flag that is missing', mutated(powerlessBody, (b) => delete b.scopes.pinning.unpin), ['scopes.pinning.unpin']],
    ['a group that is a list', mutated(powerlessBody, (b) => (b.scopes.data = [])), ['scopes.data']],
    ['an unknown flag', mutated(documentedBody, (b) => (b.scopes.pin_nft.mint = true)), ['scopes.pin_nft.mint']],
    ['an unknown group', mutated(documentedBody, (b) => (b.scopes.users = {})), ['scopes.users']],
    ['an unknown property', mutated(documentedBody, (b) => (b.limit = 1)), ['limit']],
    [
      'a flag of an admin key that is null',
      { name: 'x', scopes: { admin: true, data: { pin_list: null } } },
      ['scopes.data.pin_list'],
    ],
    ['a group of an admin key that is null', { name: 'x', scopes: { admin: true, data: null } }, ['scopes.data']],
  ])('names %s', async (_, body, paths) => {
    expect(await invalidPaths(body)).toEqual(paths);
  });

  it('names every property and sub-property that is missing', async () => {
    const paths = await invalidPaths({ name: 'x', scopes: { admin: false } });
    expect(paths).toEqual(ALL_REQUIRED.toSorted());
  });

  it.each([
    ['"true"', 'true'],
    ['1', 1],
    ['0', 0],
    ['null', null],
    ['a list', [true]],
    ['an object', {}],
  ])('accepts no %s as a boolean, and names every one', async (_, value) => {
    const body = mutated(powerlessBody, ({ scopes }) => {
      scopes.admin = value;
      for (const group of GROUPS) {
        for (const flag of Object.keys(scopes[group])) scopes[group][flag] = value;
      }
    });
    expect(await invalidPaths(body)).toEqual(['admin', ...FLAGS].map((name) => `scopes.${name}`).toSorted());
  });

  it('names all problems in one answer, up to its limit', async () => {
    const unknown = Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`p${index}`, 1]));
    const answer = await create({ name: '', scopes: {}, ...unknown });
    expect(answer.status).toBe(400);
    expect(answer.body.error.details).toHaveLength(101);
    const further = 1_500 + ['name', 'scopes.admin', ...ALL_REQUIRED].length - 100;
    expect(answer.body.error.details[100].message).toBe(`and ${further} further problems`);
  });
});

describe('problems are explained:', () => {
  const messagesOf = async (body: unknown) =>
    (await create(body)).body.error.details.map(
      ({ path, message }: { path: string; message: string }) => `${path} ${message}`,
    );

  it.each(['admin', ['pinning.unpin'], 7, null])('scopes that are %j', async (scopes) => {
    expect(await messagesOf({ name: 'x', scopes })).toEqual([
      `scopes must be an object with admin, ${GROUPS.join(', ')}; or {"admin": true} alone`,
    ]);
  });

  it.each([
    [
      'limits',
      { limits: 7 },
      'must be an object with any of not_before, expires_at, max_uses, rate_limit, allowed_cidrs',
    ],
    ['limits.rate_limit', { limits: { rate_limit: [] } }, 'must be an object with requests, window_seconds'],
    ['scopes.data', { scopes: { admin: true, data: [] } }, `must be an object with ${SCOPE_TREE.data.join(', ')}`],
    ['permissions', { permissions: [] }, 'is not a known property; scopes was probably meant'],
    ['expires_at', { expires_at: '' }, 'is not a known property; limits.expires_at was probably meant'],
    [
      'scopes.unpin',
      { scopes: { ...powerlessBody.scopes, unpin: true } },
      'is not a known property; scopes.pinning.unpin was probably meant',
    ],
    ['limits.maxUses', { limits: { maxUses: 1 } }, 'is not a known property; limits.max_uses was probably meant'],
    [
      'limits.rate_limit.window',
      { limits: { rate_limit: { requests: 1, window_seconds: 1, window: 1 } } },
      'is not a known property; limits.rate_limit.window_seconds was probably meant',
    ],
  ])('%s', async (path, more, message) => {
    expect(await messagesOf({ ...powerlessBody, ...more })).toEqual([`${path} ${message}`]);
  });

  it.each([
    ['PATCH', '/api/apiKeys/01a20b9d-c4d9-7123-b878-6eb9911deb3f', { status: 'disabled' }, 'status', 'enabled'],
    ['PATCH', '/api/apiKeys/01a20b9d-c4d9-7123-b878-6eb9911deb3f', { disabled: true }, 'disabled', 'enabled'],
    ['POST', '/api/apiKeys/01a20b9d-c4d9-7123-b878-6eb9911deb3f/rotate', { overlap: 60 }, 'overlap', 'overlap_seconds'],
    ['GET', '/api/apiKeys/list?page=2', undefined, 'page', 'offset'],
    ['GET', '/api/apiKeys/events?since=x', undefined, 'since', 'from'],
    ['GET', '/api/apiKeys/authorize?scopes=pinning.unpin&scope=pinning.unpin', undefined, 'scopes', 'scope'],
  ])('of %s %s with %j: %s', async (method, path, body, name, meant) => {
    const answer = await service.client.call(method, path, { headers: sessionOf(OWNER), body });
    expect(answer.status).toBe(400);
    expect(answer.body.error.details).toEqual([
      { path: name, message: expect.stringMatching(new RegExp(`^is not a known \\w+; ${meant} was probably meant$`)) },
    ]);
  });
});

it('refuses members in the body of a route that takes none, by their paths', async () => {
  const path = '/api/apiKeys/01a20b9d-c4d9-7123-b878-6eb9911deb3f';
  const remove = (body: object) => service.client.call('DELETE', path, { headers: sessionOf(OWNER), body });
  const answer = await remove({ cascade: true, other: 1 });
  const message = 'is not known: this route takes no body';
  expect([answer.status, answer.body.error.details]).toEqual([
    400,
    [
      { path: 'cascade', message },
      { path: 'other', message },
    ],
  ]);
  expect((await remove({})).body.error.code).toBe('key_not_found');
});

describe('the name', () => {
  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['blank', ' \t '],
    ['over-long', 'x'.repeat(101)],
    ['over-long in characters, not units', '\u{1f511}'.repeat(101)],
    ['with U+0000', 'a\0b'],
    ['with a line feed', 'a\nb'],
    ['with a C1 control character', 'a\u0085b'],
    ['with a lone surrogate', 'a\ud800b'],
    ['a number', 7],
    ['a list', ['x']],
    ['an object', { toString: 'x' }],
  ])('is refused when it is %s', async (_, name) => {
    expect(await invalidPaths({ ...documentedBody, name })).toEqual([expect.stringMatching(/^name/)]);
  });
});

describe('the metadata', () => {
  it.each([
    ['null', null],
    ['a list', ['x']],
    ['over 4 KiB', { a: 'x'.repeat(4096) }],
    ['with U+0000 in a name', { '\0': 'a' }],
  ])('is refused when it is %s', async (_, metadata) => {
    expect(await invalidPaths({ ...documentedBody, metadata })).toEqual(['metadata']);
  });

  it('is refused by the path of each value that is not a storable string', async () => {
    const metadata = { a: 1, b: { c: 'd' }, good: 'x', zero: '\0', half: '\udfff', none: null };
    const bad = ['a', 'b', 'half', 'none', 'zero'];
    expect(await invalidPaths({ ...documentedBody, metadata })).toEqual(bad.map((name) => `metadata.${name}`));
  });
});

describe('a malformed request', () => {
  it.each([
    ['a list', '[]'],
    ['null', 'null'],
    ['text', '"name"'],
    ['a number', '1'],
  ])('is refused: a body that is %s', async (_, body) => {
    expect(await invalidPaths(body)).toEqual(['']);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'])(
    'is refused: a property %s',
    async (name) => {
      const text = JSON.stringify(documentedBody);
      expect(await invalidPaths(text.replace('{', `{"${name}":{"admin":true},`))).toEqual([name]);
      expect(await invalidPaths(text.replace('"scopes":{', `"scopes":{"${name}":{},`))).toEqual([`scopes.${name}`]);
    },
  );

  it.each([
    ['the last would win', '{"name":"x","scopes":{"admin":false},"scopes":{"admin":true}}', ['scopes']],
    ['they say the same', '{"name":"x","name":"x","scopes":{"admin":true}}', ['name']],
    ['one of them is escaped', '{"name":"x","scopes":{"admin":true},"scop\\u0065s":{}}', ['scopes']],
    [
      'they are further in',
      '{"name":"x","scopes":{"admin":true,"data":{"pin_list":true,"pin_list":true}}}',
      ['scopes.data.pin_list'],
    ],
    ['they are three, and others two', '{"name":1,"name":2,"name":3,"a":{"b":1,"b":2}}', ['a.b', 'name']],
    ['they are in a list', '{"name":[{"a":1},{"a":1,"a":2}]}', ['name.1.a']],
  ])('is refused: members of the same name, where %s', async (_, body, paths) => {
    expect(await invalidPaths(body)).toEqual(paths);
  });

  it.each([
    ['a name of 129 characters', { ['n'.repeat(129)]: 1 }, 'n'.repeat(129)],
    ['more than 2,000 members', { metadata: many(2_001), name: 'x' }, ''],
    ['a list of more than 1,000 elements', { scopes: Array.from({ length: 1_001 }, () => ({})) }, 'scopes'],
    [
      'lists of more than 2,000 elements in all',
      { a: Array(900).fill(1), b: Array(900).fill(1), c: Array(900).fill(1) },
      '',
    ],
  ])('is refused before it is traversed: %s', async (_, body, path) => {
    expect(await invalidPaths(body)).toEqual([path]);
  });

  it('is refused: deep nesting', async () => {
    const answer = await create(`{"name":${'['.repeat(30_000)}${']'.repeat(30_000)}}`);
    expect(answer.status).toBe(400);
    expect(answer.body.error.details[0].message).toBe('must not be nested deeper than 8 levels');
  });

  it.each([
    ['cut off', '{"name":', 'line 1, column 9', 'a value'],
    ['with a trailing comma', '{"name":"hush",}', 'line 1, column 16', 'a name in double quotes'],
    ['with single quotes', "{'name':'hush'}", 'line 1, column 2', 'a name in double quotes'],
    ['that goes wrong further down', '{\n  "name": "hush"\r\n  "scopes": 1\n}', 'line 3, column 3', 'a comma or }'],
    ['with more behind it', '{"name":"hush"} hush', 'line 1, column 17', 'the end of the body'],
    ['with a line break in a text', '{"name":"hu\nsh"}', 'line 1, column 12', 'an escape'],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'line 1, column 3', 'not UTF-8'],
    ['cut off within a character', Buffer.from('{\n"é').subarray(0, 4), 'line 2, column 2', 'not UTF-8'],
    ['with a byte order mark', Buffer.from('\ufeff{}'), 'line 1, column 1', 'byte order mark'],
  ])('is refused: JSON %s, with the position but without the text', async (_, body, place, what) => {
    const answer = await create(body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.code).toBe('malformed_json');
    expect(answer.body.error.message).toContain(place);
    expect(answer.body.error.message).toContain(what);
    expect(answer.text).not.toMatch(/hush|hu\b/);
  });

  it('is refused: a body over 64 KiB', async () => {
    const answer = await create(`{"name":"${'x'.repeat(65_536)}"}`);
    expect(answer.status).toBe(413);
    expect(answer.body.error.code).toBe('payload_too_large');
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'application/jsonp', 'nonsense'])(
    'is refused: a body declared as %s',
    async (type) => {
      const answer = await create(JSON.stringify(documentedBody), { 'content-type': type });
      expect(answer.status).toBe(415);
      expect(answer.body.error.code).toBe('unsupported_media_type');
    },
  );
});

it.each([
  ['compressed', { 'content-encoding': 'gzip' }],
  ['in UTF-16', { 'content-type': 'application/json; charset=utf-16' }],
])('refuses a body declared as %s', async (_, headers) => {
  const answer = await create(documentedBody, headers);
  expect(answer.status).toBe(415);
  expect(answer.body.error.code).toBe('unsupported_media_type');
});

describe('a list instead of an object, or an object instead of a list', () => {
  const mutate = (path: string, value: unknown) =>
    mutated({ ...powerlessBody, limits: { max_uses: 1 } }, (copy) => {
      const [last = '', ...parents] = path.split('.').toReversed();
      parents.reduceRight((parent, name) => parent[name], copy)[last] = value;
    });

  it.each(['scopes', 'scopes.data', 'scopes.pin_nft', 'limits', 'limits.rate_limit', 'metadata'])(
    'is refused, once: %s',
    async (path) => {
      for (const list of [[], [{}], Array.from({ length: 1_000 }, () => ({})), [[[{}]]], [null]])
        expect(await invalidPaths(mutate(path, list))).toEqual([path]);
    },
  );

  it.each(['limits.allowed_cidrs', 'name', 'limits.max_uses', 'limits.expires_at', 'scopes.data.pin_list'])(
    'is refused, once: %s',
    async (path) => {
      for (const object of [{}, { a: {} }, { 0: '10.0.0.0/8', length: 1 }])
        expect(await invalidPaths(mutate(path, object))).toEqual([path]);
    },
  );
});

describe('queries and paths', () => {
  it.each(['/api/apiKeys/list', '/api/apiKeys/events', '/api/apiKeys/authorize', '/api/apiKeys/testAuthentication'])(
    'refuses more than 100 parameters at %s',
    async (path) => {
      const answer = await service.client.get(`${path}?${'a&'.repeat(100)}limit=1`, sessionOf(OWNER));
      expect(answer.status).toBe(400);
      expect(answer.body.error.details).toEqual([
        { path: '', message: 'the query must not have more than 100 parameters' },
      ]);
    },
  );

  it.each([
    ['limit=0', ['limit']],
    ['limit=101', ['limit']],
    ['limit=1e1', ['limit']],
    ['limit=%201', ['limit']],
    ['limit=', ['limit']],
    ['limit=1&limit=2', ['limit']],
    ['limit[]=1', ['limit[]']],
    ['offset=-1', ['offset']],
    ['offset=99999999999999999999', ['offset']],
    ['page=2', ['page']],
    ['limit=x&offset=y', ['limit', 'offset']],
  ])('refuses ?%s by its path', async (query, paths) => {
    const answer = await service.client.get(`/api/apiKeys/list?${query}`, sessionOf(OWNER));
    expect(answer.status).toBe(400);
    expect(answer.body.error.details.map(({ path }: { path: string }) => path)).toEqual(paths);
  });

  it.each(['abc', '1', '%00', "'%20OR%20''='", '00000000-0000-0000-0000-00000000000g'])(
    'refuses the id %s',
    async (id) => {
      const answer = await service.client.get(`/api/apiKeys/${id}`, sessionOf(OWNER));
      expect(answer.status).toBe(400);
      expect(answer.body.error.details).toEqual([
        { path: 'id', message: 'must be the id of a key, a UUID; not its api_key' },
      ]);
    },
  );
});
