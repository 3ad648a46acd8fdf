import { isPossible, pairOf } from './presented.js';
import type { Presented } from '../types.js';
import { parsedRequest } from '../../../../test/support/parsed-request.js';

const apiKey = `w3k_${'aZ09'.repeat(5)}`;
const secretKey = `w3s_${'bY18'.repeat(10)}`;
const basic = Buffer.from(`${apiKey}:${secretKey}`).toString('base64');

it.each<[string, Presented]>([
  ['a pair', { apiKey, secretKey }],
  ['one string', { credential: `${apiKey}.${secretKey}` }],
  ['headers', { headers: { pinning_api_key: apiKey, pinning_secret_key: secretKey } }],
  [
    'headers with hyphens, in another case',
    { headers: { 'Pinning-Api-Key': apiKey, 'Pinning-Secret-Key': secretKey } },
  ],
  ['a bearer', { headers: { authorization: `Bearer ${apiKey}.${secretKey}` } }],
  ['basic authentication', { headers: { authorization: `Basic ${basic}` } }],
])('reads the pair from %s', (_, presented) => {
  expect(pairOf(presented)).toMatchObject({ apiKey, secretKey });
});

it('reads the pair from a request', async () => {
  expect(pairOf(await parsedRequest([`Authorization: Bearer ${apiKey}.${secretKey}`]))).toEqual({ apiKey, secretKey });
});

it.each<[string, Presented]>([
  ['halves of other lengths', { apiKey: `${apiKey}a`, secretKey }],
  ['a credential without a secret', { credential: apiKey }],
  ['no headers', { headers: {} }],
  ['a session', { headers: { authorization: 'Bearer a.b.c' } }],
  ['one of the headers', { headers: { pinning_api_key: apiKey } }],
  ['a repeated header', { headers: { pinning_api_key: [apiKey, apiKey] as never, pinning_secret_key: secretKey } }],
  [
    'two ways at once',
    { headers: { authorization: `Basic ${basic}`, pinning_api_key: apiKey, pinning_secret_key: secretKey } },
  ],
])('reads no pair from %s', (_, presented) => {
  expect(pairOf(presented)).toBeUndefined();
});

it('knows the shape of a pair', () => {
  expect(isPossible({ apiKey, secretKey })).toBe(true);
  for (const character of ['-', '/', ':', '@', '[', '`', '{', ' ', 'é', '\u{1d7ce}', '_', '.']) {
    expect(isPossible({ apiKey: apiKey.slice(0, -1) + character, secretKey })).toBe(false);
    expect(isPossible({ apiKey, secretKey: `w3s_${character}${secretKey.slice(5)}` })).toBe(false);
  }
  expect(isPossible({ apiKey: `w3s_${apiKey.slice(4)}`, secretKey })).toBe(false);
  expect(isPossible({ apiKey, secretKey: `w3k_${secretKey.slice(4)}` })).toBe(false);
});

it.each<[unknown]>([
  [`${apiKey}.${secretKey}`],
  [{ api_key: apiKey, secret_key: secretKey }],
  [{ apiKey }],
  [{ apiKey: 5, secretKey }],
  [{ credential: 5 }],
  [{ headers: null }],
  [{}],
  [null],
])('throws a TypeError without a secret for another shape', (presented) => {
  const error = errorOf(() => pairOf(presented as Presented));
  expect(error).toBeInstanceOf(TypeError);
  expect(error?.message).toMatch(/^give \{ apiKey, secretKey \}/);
});

function errorOf(work: () => unknown): Error | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
