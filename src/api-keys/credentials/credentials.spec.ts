import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { credentialKey, type CredentialKeys, isGenuine, mintApiKey, mintSecretKey, signerOf } from './credentials.js';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';

const keys: CredentialKeys = [credentialKey(randomBytes(32))];
const mint = (ring = keys): KeyPair => {
  const apiKey = mintApiKey();
  return { apiKey, secretKey: mintSecretKey(apiKey, ring) };
};

describe('mintApiKey() and mintSecretKey()', () => {
  it('generate the 24 and 44 characters that the official client requires', () => {
    const { apiKey, secretKey } = mint();
    expect(apiKey).toMatch(/^w3k_[0-9A-Za-z]{20}$/);
    expect(secretKey).toMatch(/^w3s_[0-9A-Za-z]{40}$/);
  });

  it('never generate the same twice', () => {
    const pairs = Array.from({ length: 2_000 }, () => mint());
    expect(new Set(pairs.flatMap(({ apiKey, secretKey }) => [apiKey, secretKey])).size).toBe(4_000);
  });

  it('draw all 62 characters equally often', () => {
    const counts = new Map<string, number>();
    const drawn = Array.from({ length: 5_000 }, () => mintApiKey().slice(4)).join('');
    for (const character of drawn) counts.set(character, (counts.get(character) ?? 0) + 1);
    const expected = drawn.length / 62;
    const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(counts.size).toBe(62);
    // 61 degrees of freedom: above 130 once in a million runs; a modulo bias gives some 1,500
    expect(chiSquared).toBeLessThan(130);
  });
});

describe('isGenuine()', () => {
  it('accepts pairs minted under any key of the ring', () => {
    const older: CredentialKeys = [credentialKey(randomBytes(32))];
    expect(isGenuine(mint(), [keys[0], older[0]])).toBe(true);
    expect(isGenuine(mint(older), [keys[0], older[0]])).toBe(true);
  });

  it('rejects pairs minted under a key outside the ring', () => {
    expect(isGenuine(mint([credentialKey(randomBytes(32))]), keys)).toBe(false);
  });

  it('rejects the secret of one key with the identifier of another', () => {
    expect(isGenuine({ apiKey: mintApiKey(), secretKey: mint().secretKey }, keys)).toBe(false);
  });

  it('rejects a pair with any one character changed', () => {
    const pair = mint();
    for (const part of ['apiKey', 'secretKey'] as const) {
      for (let index = 4; index < pair[part].length; index++) {
        const changed = pair[part][index] === 'x' ? 'y' : 'x';
        const text = pair[part].slice(0, index) + changed + pair[part].slice(index + 1);
        expect(isGenuine({ ...pair, [part]: text }, keys)).toBe(false);
      }
    }
  });

  it.each([
    ['empty', { apiKey: '', secretKey: '' }],
    [
      'with a line feed at the end',
      { apiKey: `${'w3k_'.padEnd(24, 'a')}\n`, secretKey: `${'w3s_'.padEnd(44, 'a')}\n` },
    ],
    ['with other prefixes', { apiKey: 'W3K_'.padEnd(24, 'a'), secretKey: 'W3S_'.padEnd(44, 'a') }],
    ['with characters beyond base62', { apiKey: 'w3k_'.padEnd(24, '-'), secretKey: 'w3s_'.padEnd(44, 'é') }],
  ])('rejects a pair that is %s', (_, pair) => {
    expect(isGenuine(pair, keys)).toBe(false);
  });

  it('rejects arbitrary strings without throwing', () => {
    const refused = fc.property(
      fc.string(),
      fc.string(),
      (apiKey, secretKey) => !isGenuine({ apiKey, secretKey }, keys),
    );
    expect(() => fc.assert(refused)).not.toThrow();
  });
});

describe('the fingerprint of a server key', () => {
  it('is stable, and differs between keys', () => {
    const bytes = Buffer.alloc(32, 7);
    expect(credentialKey(bytes).fingerprint).toBe('d8201472');
    expect(credentialKey(Buffer.alloc(32, 8)).fingerprint).not.toBe(credentialKey(bytes).fingerprint);
  });

  it('identifies the signer of a pair, if it is in the ring', () => {
    const older: CredentialKeys = [credentialKey(randomBytes(32))];
    const ring: CredentialKeys = [keys[0], older[0]];
    expect([mint(), mint(older)].map((pair) => signerOf(pair, ring))).toEqual(ring);
    expect(signerOf(mint([credentialKey(randomBytes(32))]), ring)).toBeUndefined();
  });
});
