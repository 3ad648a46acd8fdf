import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import jwt from 'jsonwebtoken';
import { KeySet } from './key-set.js';

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const [first, second] = [rsa(), rsa()];
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = (key: KeyObject, more: object = {}) => ({ ...key.export({ format: 'jwk' }), ...more });
const tokenOf = (key: KeyObject, header: { alg?: jwt.Algorithm; kid?: string } = {}) => {
  const { alg = 'RS256', kid } = header;
  return jwt.sign({ sub: 'ann' }, key, { algorithm: alg, ...(kid !== undefined && { keyid: kid }) });
};
const signerOf = (set: KeySet, token: string) => set.signerOf(token, decodeProtectedHeader(token));

it('finds which of its keys has signed a token, with a kid or without', async () => {
  const set = new KeySet({ keys: [jwk(first.publicKey, { kid: 'a' }), jwk(second.publicKey), jwk(curve.publicKey)] });
  for (const [pair, header] of [
    [first, {}],
    [first, { kid: 'a' }],
    [second, {}],
    [curve, { alg: 'ES256' }],
  ] as const) {
    const signer = await signerOf(set, tokenOf(pair.privateKey, header));
    expect(signer?.equals(pair.publicKey)).toBe(true);
  }
  expect(await signerOf(set, tokenOf(second.privateKey, { kid: 'a' }))).toBeUndefined();
  expect(await signerOf(set, tokenOf(first.privateKey, { kid: 'b' }))).toBeUndefined();
  expect(await signerOf(set, tokenOf(rsa().privateKey))).toBeUndefined();
});

it.each([
  ['alone', {}],
  ['with what it is for', { key_ops: ['sign'], use: 'sig', alg: 'RS256' }],
])('takes the public half of a private key, %s, and says which it is', async (_, more) => {
  const set = new KeySet({ keys: [jwk(first.publicKey), jwk(second.privateKey, more)] });
  expect(set.privateKeys).toEqual([2]);
  const signer = await signerOf(set, tokenOf(second.privateKey));
  expect([signer?.type, signer?.equals(second.publicKey)]).toEqual(['public', true]);
  expect((await signerOf(set, tokenOf(first.privateKey)))?.equals(first.publicKey)).toBe(true);
});

it('names secrets too, and verifies nothing with them', async () => {
  const secret = Buffer.alloc(32, 1);
  const set = new KeySet({ keys: [{ kty: 'oct', k: secret.toString('base64url') }, jwk(curve.privateKey)] });
  expect(set.privateKeys).toEqual([1, 2]);
  const token = jwt.sign({ sub: 'ann' }, secret, { algorithm: 'HS256' });
  expect(await signerOf(set, token)).toBeUndefined();
  expect((await signerOf(set, tokenOf(curve.privateKey, { alg: 'ES256' })))?.equals(curve.publicKey)).toBe(true);
});

it('passes over what it cannot read, and keys that are too short or for something else', async () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const keys = [
    null,
    'x',
    [],
    {},
    { kty: 'RSA' },
    { kty: 'RSA', n: 'AQAB' },
    { kty: 'NEW', x: 'y' },
    { ...jwk(second.publicKey), use: 'enc' },
    { ...jwk(second.publicKey), alg: 'RS512' },
    jwk(short.publicKey),
    jwk(first.publicKey),
  ];
  const set = new KeySet({ keys });
  expect((await signerOf(set, tokenOf(first.privateKey)))?.equals(first.publicKey)).toBe(true);
  expect(await signerOf(set, tokenOf(second.privateKey))).toBeUndefined();
  expect(await signerOf(new KeySet({ keys: [{ kty: 'RSA' }] }), tokenOf(first.privateKey))).toBeUndefined();
  expect(await signerOf(new KeySet({ keys: [] }), tokenOf(first.privateKey))).toBeUndefined();
});

it.each([null, 1, 'x', [], {}, { keys: {} }, { keys: null }])('is not made of %j', (published) => {
  expect(() => new KeySet(published)).toThrow(TypeError);
});
