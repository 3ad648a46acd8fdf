import { outcomeOf } from './support/answers.js';
import type { Answer } from './support/client.js';
import {
  basicOf,
  bearerOf,
  bodyWith,
  credentialOf,
  issued,
  issueKey,
  type IssuedKey,
  pairHeaders,
  powerlessBody,
} from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf, signToken } from './support/sessions.js';
import { pairOf, serviceHeaders, serviceVariables } from './support/verification.js';

const TEST = '/api/apiKeys/testAuthentication';
const AUTHORIZE = '/api/apiKeys/authorize?scope=pinning.unpin';

type Headers = Record<string, string | string[]>;

let admin: IssuedKey;
const service = useService(serviceVariables);
beforeAll(async () => {
  admin = await issueKey(service.client, 'ann');
});

const base64 = (text: string) => Buffer.from(text).toString('base64');
const basic = (text: string) => ({ authorization: `Basic ${base64(text)}` });
const basicAsItIs = ({ api_key, secret_key }: IssuedKey) => ({ authorization: `Basic ${api_key}:${secret_key}` });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const get = (path: string, headers: Headers) => service.client.get(path, headers);

describe.each([
  ['a bearer', bearerOf],
  ['a bearer, the scheme in another case and with blanks', (key: IssuedKey) => `bEARER  ${credentialOf(key)} `],
  ['HTTP Basic', basicOf],
  ['HTTP Basic, the scheme in another case', (key: IssuedKey) => basicOf(key).replace('Basic', 'BASIC')],
])('a key by %s', (_, headerOf) => {
  it('is identified, and manages keys', async () => {
    const headers = { authorization: headerOf(admin) };
    expect((await get(TEST, headers)).body.data).toMatchObject({ id: admin.id, owner_id: 'ann' });
    const child = issued(await service.client.post('/api/apiKeys', headers, powerlessBody));
    const shown = await get(`/api/apiKeys/${child.id}`, headers);
    expect(shown.body.data.issued_by).toBe(admin.id);
    expect(outcomeOf(await service.client.delete(`/api/apiKeys/${child.id}`, headers))).toBe('200');
  });

  it('passes a gateway by its scopes, on the fast path and on the ordinary one', async () => {
    const unpins = await issueKey(service.client, 'ann', bodyWith(['pinning.unpin']));
    const weak = await issueKey(service.client, 'ann', powerlessBody);
    // A repeated header keeps a request off the fast path
    for (const more of [{}, { 'x-padding': ['1', '2'] }]) {
      const passed = await get(AUTHORIZE, { authorization: headerOf(unpins), ...more });
      expect([passed.status, passed.headers['x-w3ipfs-key-id']]).toEqual([200, unpins.id]);
      expect(outcomeOf(await get(AUTHORIZE, { authorization: headerOf(weak), ...more }))).toBe(
        '403 insufficient_scope',
      );
    }
  });

  it('is refused like any other once it is revoked', async () => {
    const key = await issueKey(service.client, 'ann');
    const headers = { authorization: headerOf(key) };
    expect((await get(TEST, headers)).status).toBe(200);
    await service.client.delete(`/api/apiKeys/${key.id}`, sessionOf('ann'));
    for (const path of [TEST, AUTHORIZE]) expect((await get(path, headers)).body.error.reason).toBe('REVOKED');
  });

  it('is refused with a wrong secret exactly like an unknown key', async () => {
    const made = { api_key: admin.api_key, secret_key: `w3s_${'a'.repeat(40)}` };
    const unknown = { ...made, api_key: `w3k_${'a'.repeat(20)}` };
    for (const path of [TEST, AUTHORIZE]) {
      const answers = [];
      for (const pair of [made, unknown])
        answers.push(await get(path, { authorization: headerOf({ ...admin, ...pair }) }));
      for (const { status, body } of answers) {
        expect([status, body.error]).toEqual([
          401,
          { code: 'unauthenticated', message: 'These credentials are not valid.', reason: 'INVALID_CREDENTIALS' },
        ]);
      }
    }
  });

  it.each<[string, (key: IssuedKey) => Headers]>([
    ['the two headers', (key) => pairHeaders(key)],
    ['one of them, with a hyphen', (key) => ({ 'pinning-api-key': key.api_key })],
  ])('is ambiguous together with %s', async (_name, more) => {
    for (const path of [TEST, AUTHORIZE]) {
      const answer = await get(path, { authorization: headerOf(admin), ...more(admin) });
      expect(outcomeOf(answer)).toBe('400 ambiguous_credentials');
    }
  });

  it('is ambiguous together with a session, in either order', async () => {
    const both = [headerOf(admin), sessionOf('ann').authorization];
    for (const authorization of [both, both.toReversed()]) {
      expect(outcomeOf(await get(TEST, { authorization }))).toBe('400 ambiguous_credentials');
    }
  });
});

describe('explains what is missing', () => {
  const token = serviceHeaders.authorization.replace('Bearer ', '');
  it.each<[string, () => Headers, RegExp]>([
    ['nothing', () => ({}), /^Present a session .* or an API key/],
    ['only the key', () => ({ pinning_api_key: admin.api_key }), /missing: the header pinning_secret_key\.$/],
    ['only the key, with hyphens', () => ({ 'pinning-api-key': admin.api_key }), /: the header pinning_secret_key\.$/],
    ['only the secret', () => ({ pinning_secret_key: admin.secret_key }), /missing: the header pinning_api_key\.$/],
    [
      'an empty secret',
      () => ({ ...pairHeaders(admin), pinning_secret_key: '' }),
      /: the header pinning_secret_key\.$/,
    ],
    [
      'two empty headers',
      () => pairHeaders({ api_key: '', secret_key: '' }),
      /pinning_api_key, and .*pinning_secret_key/,
    ],
    ['a credential without its secret', () => bearer(admin.api_key), /missing: the secret_key/],
    ['a credential that ends with the dot', () => bearer(`${admin.api_key}.`), /missing: the secret_key/],
    ['HTTP Basic without a password', () => basic(`${admin.api_key}:`), /missing: the secret_key, as the password\.$/],
    ['HTTP Basic without a colon', () => basic(admin.api_key), /missing: the secret_key, as the password\.$/],
    ['HTTP Basic without a user', () => basic(`:${admin.secret_key}`), /missing: the api_key, as the user\.$/],
    ['HTTP Basic of nothing', () => basic(':'), /missing: the api_key.* and the secret_key/],
    ['a session without its scheme', () => ({ authorization: signToken() }), /must begin with "Bearer "/],
    ['a credential without its scheme', () => ({ authorization: credentialOf(admin) }), /must begin with "Bearer "/],
    ['another scheme', () => ({ authorization: 'Digest x' }), /must begin with "Bearer "/],
    ['only a scheme', () => ({ authorization: 'Bearer' }), /nothing follows the scheme/],
    ['a scheme and blanks', () => ({ authorization: 'basic  ' }), /nothing follows the scheme/],
    [
      'a colon in a credential',
      () => bearer(`${admin.api_key}:${admin.secret_key}`),
      /a dot is between the api_key and/,
    ],
    [
      'a blank in a credential',
      () => bearer(`${admin.api_key} ${admin.secret_key}`),
      /one credential .* without blanks/,
    ],
    ['a session, and more', () => bearer(`${signToken()}, x`), /one session \(a JWT\) or .* without blanks/],
    ['HTTP Basic that is not encoded', () => basicAsItIs(admin), /, send the base64 of <api_key>:<secret_key>/],
    ['nothing in Authorization', () => ({ authorization: '' }), /^Present a session .* or an API key/],
    ['the token of a service', () => serviceHeaders, /Service tokens are only for the routes for services/],
    ['half a session', () => bearer('a.b'), /neither a session \(a JWT\) nor a credential/],
    ['a header without end', () => bearer('x'.repeat(9_000)), /longer than 8192 characters/],
  ])('%s', async (_, headers, message) => {
    const answers = [
      await get(TEST, headers()),
      await get(AUTHORIZE, headers()),
      await service.client.post('/api/apiKeys', headers(), powerlessBody),
    ];
    for (const { status, body, headers: answered } of answers) {
      expect([status, body.error.code, body.error.reason]).toEqual([401, 'unauthenticated', 'INVALID_CREDENTIALS']);
      expect(body.error.message).toMatch(message);
      expect(answered['www-authenticate']).toBe('Bearer realm="w3ipfs"');
    }
    for (const { text } of answers) for (const secret of [token, admin.secret_key]) expect(text).not.toContain(secret);
  });

  it.each([bearerOf, basicOf])('when a key is presented to a route for services', async (headerOf) => {
    const headers = { authorization: headerOf(admin) };
    for (const [path, body] of [
      ['/api/apiKeys/verify', pairOf(admin)],
      ['/api/apiKeys/verify/batch', { requests: [pairOf(admin)] }],
    ] as const) {
      const answer = await service.client.post(path, headers, body);
      expect([outcomeOf(answer), answer.body.error.message]).toEqual([
        '401 unauthenticated',
        expect.stringContaining('Authorization: Bearer <service token>'),
      ]);
    }
  });
});

it('ignores an empty Authorization beside the two headers, which some clients send', async () => {
  const headers = { ...pairHeaders(admin), authorization: '' };
  expect((await get(TEST, headers)).status).toBe(200);
  expect((await get(AUTHORIZE, headers)).status).toBe(200);
  expect(outcomeOf(await get(TEST, { ...headers, authorization: ['', bearerOf(admin)] }))).toBe(
    '400 ambiguous_credentials',
  );
});

it('treats any bearer token that begins with w3k_ as a credential', async () => {
  const [, claims, signature] = signToken().split('.');
  const answer = await get(TEST, bearer(`w3k_.${claims}.${signature}`));
  expect(answer.body.error.message).toBe('These credentials are not valid.');
});

describe('a service', () => {
  const verify = (path: string, body: object): Promise<Answer> =>
    service.client.post(`/api/apiKeys/${path}`, serviceHeaders, body);

  it('may verify by the credential, alone and in a batch', async () => {
    const need = { scope: 'pinning.unpin', cost: 0 };
    const one = await verify('verify', { credential: credentialOf(admin), ...need });
    const pair = await verify('verify', { ...pairOf(admin), ...need });
    expect(one.body).toEqual(pair.body);
    expect(one.body.data).toMatchObject({ valid: true, code: 'VALID', key_id: admin.id });
    const batch = await verify('verify/batch', { requests: [{ credential: credentialOf(admin) }, pairOf(admin)] });
    expect(batch.body.data.verdicts.map(({ code }: { code: string }) => code)).toEqual(['VALID', 'VALID']);
  });

  it.each(['', '.', 'w3k_', 'eyJ', `w3k_${'a'.repeat(20)}.w3s_${'a'.repeat(40)}`])(
    'gets the same verdict for a malformed credential as for any wrong pair: "%s"',
    async (credential) => {
      const answer = await verify('verify', { credential });
      expect([answer.status, answer.body.data]).toEqual([200, { valid: false, code: 'INVALID_CREDENTIALS' }]);
    },
  );

  it('refuses a credential followed by other text', async () => {
    for (const more of ['.', 'x', `.${admin.secret_key}`]) {
      const answer = await verify('verify', { credential: credentialOf(admin) + more });
      expect(answer.body.data.code).toBe('INVALID_CREDENTIALS');
    }
  });
});
