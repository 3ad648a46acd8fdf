import { parsedRequest } from '../../test/support/parsed-request.js';
import { presentedCredentials } from './presented-credentials.js';
import { AmbiguousCredentialsError, UnauthenticatedError } from './refusal-errors.js';

const KEY = 'w3k_3mJ0vXq8TzKc1RbYdNfA';
const SECRET = 'w3s_Zk4pQ9xWm2LtB7vYcR1nHsD6fJgK3aUeXoTi5wP0';
const PAIR = { pair: { apiKey: KEY, secretKey: SECRET } };
const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln';

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('reads', () => {
  it.each([
    ['the documented headers', [`pinning_api_key: ${KEY}`, `pinning_secret_key: ${SECRET}`]],
    ['the headers with hyphens, in any case', [`Pinning-Api-Key: ${KEY}`, `PINNING-SECRET-KEY: ${SECRET}`]],
    ['one header of each spelling', [`pinning_api_key: ${KEY}`, `pinning-secret-key: ${SECRET}`]],
    [
      'the headers beside an empty Authorization',
      ['Authorization:', `pinning_api_key: ${KEY}`, `pinning_secret_key: ${SECRET}`],
    ],
    ['a bearer credential (RFC 6750, 2.1)', [`Authorization: Bearer ${KEY}.${SECRET}`]],
    [
      'a scheme in any case, and several spaces (RFC 9110, 11.1 and 11.4)',
      [`Authorization: bEARER   ${KEY}.${SECRET}`],
    ],
    ['HTTP Basic (RFC 7617, 2)', [`Authorization: Basic ${base64(`${KEY}:${SECRET}`)}`]],
  ])('a pair from %s', async (_, lines) => {
    expect(presentedCredentials(await parsedRequest(lines))).toEqual(PAIR);
  });

  it('the token of a session (RFC 7515, 7.1)', async () => {
    const request = await parsedRequest([`Authorization: Bearer ${TOKEN}`]);
    expect(presentedCredentials(request)).toEqual({ token: TOKEN });
  });

  it('a password with colons, and text that is not ASCII, byte by byte (RFC 7617, 2)', async () => {
    const request = await parsedRequest([`Authorization: Basic ${base64('user:a:ü')}`]);
    expect(presentedCredentials(request)).toEqual({ pair: { apiKey: 'user', secretKey: 'a:Ã¼' } });
  });
});

describe('rejects as ambiguous', () => {
  it.each([
    ['Authorization beside a key header', [`Authorization: Bearer ${TOKEN}`, `pinning_api_key: ${KEY}`]],
    ['two Authorization headers', [`Authorization: Bearer ${TOKEN}`, `Authorization: Bearer ${TOKEN}`]],
    ['an api_key twice', [`pinning_api_key: ${KEY}`, `pinning_api_key: ${KEY}`, `pinning_secret_key: ${SECRET}`]],
    [
      'an api_key in two spellings',
      [`pinning_api_key: ${KEY}`, `pinning-api-key: ${KEY}`, `pinning_secret_key: ${SECRET}`],
    ],
    [
      'a secret_key twice',
      [`pinning_api_key: ${KEY}`, `pinning_secret_key: ${SECRET}`, `pinning_secret_key: ${SECRET}`],
    ],
  ])('%s', async (_, lines) => {
    const request = await parsedRequest(lines);
    expect(() => presentedCredentials(request)).toThrow(AmbiguousCredentialsError);
  });
});

describe('rejects, and says what is wrong:', () => {
  it.each<[string, string[], RegExp]>([
    ['no credentials', [], /pinning_api_key and pinning_secret_key.*HTTP Basic/],
    ['an empty Authorization', ['Authorization:'], /pinning_api_key and pinning_secret_key.*HTTP Basic/],
    ['no secret_key', [`pinning_api_key: ${KEY}`], /: the header pinning_secret_key\.$/],
    ['no api_key', [`pinning_secret_key: ${SECRET}`], /: the header pinning_api_key\.$/],
    ['two empty headers', ['pinning_api_key:', 'pinning_secret_key:'], /pinning_api_key, and .*pinning_secret_key\.$/],
    ['a credential without its secret', [`Authorization: Bearer ${KEY}`], /the secret_key, behind the api_key/],
    [
      'a Basic user without a password',
      [`Authorization: Basic ${base64(`${KEY}:`)}`],
      /the secret_key, as the password/,
    ],
    ['a Basic password without a user', [`Authorization: Basic ${base64(`:${SECRET}`)}`], /the api_key, as the user/],
    ['Basic without a colon', [`Authorization: Basic ${base64(KEY)}`], /the secret_key, as the password/],
    ['Basic that is not base64', ['Authorization: Basic a:b'], /base64 of <api_key>:<secret_key>/],
    ['another scheme', ['Authorization: Digest a=b'], /must begin with "Bearer "/],
    ['a credential without a scheme', [`Authorization: ${KEY}.${SECRET}`], /must begin with "Bearer "/],
    ['a scheme alone', ['Authorization: Bearer'], /nothing follows the scheme/],
    ['a bearer with a colon', [`Authorization: Bearer ${KEY}:${SECRET}`], /a dot is between/],
    ['two bearers', [`Authorization: Bearer ${TOKEN}, Bearer ${TOKEN}`], /without blanks or commas/],
    ['a service token', ['Authorization: Bearer a-service-token'], /neither a session.*nor a credential/],
    ['an unsigned token (RFC 7519, 6)', ['Authorization: Bearer e30.e30.'], /neither a session.*nor a credential/],
    ['an encrypted token (RFC 7516, 3.1)', ['Authorization: Bearer a.b.c.d.e'], /neither a session.*nor a credential/],
    ['8,193 characters', [`Authorization: Bearer ${'a'.repeat(8_193 - 'Bearer '.length)}`], /longer than 8192/],
  ])('%s', async (_, lines, message) => {
    const request = await parsedRequest(lines);
    const error = caught(() => presentedCredentials(request));
    expect(error).toBeInstanceOf(UnauthenticatedError);
    expect([(error as UnauthenticatedError).reason, (error as UnauthenticatedError).message]).toEqual([
      'INVALID_CREDENTIALS',
      expect.stringMatching(message),
    ]);
  });

  it('never repeats what was presented', async () => {
    for (const value of [SECRET, `Bearer ${SECRET}`, `Basic ${SECRET}`, `Bearer ${KEY}:${SECRET}`]) {
      const request = await parsedRequest([`Authorization: ${value}`]);
      expect((caught(() => presentedCredentials(request)) as Error).message).not.toContain(SECRET);
    }
  });
});

function caught(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
