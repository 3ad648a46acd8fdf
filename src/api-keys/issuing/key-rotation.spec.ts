import { ApiKey, NEW_KEY } from '../api-key.entity.js';
import { withNewSecret } from './key-rotation.js';

const NOW = Date.UTC(2026, 10, 24);
const inSeconds = (seconds: number) => new Date(NOW + 1_000 * seconds);
const minted = { apiKey: 'w3k_', secretKey: 'w3s_', hash: 'new hash', signedBy: 'new signer' };

/** The columns of a key that is rotated at `NOW`. */
function rotated(overlapSeconds: number, columns: Partial<ApiKey> = {}) {
  const own = { secretHash: 'old hash', secretSignedBy: 'old signer', expiresAt: null };
  return withNewSecret(Object.assign(new ApiKey(), NEW_KEY, own, columns), minted, overlapSeconds, NOW);
}

const none = { previousSecretHash: null, previousSecretSignedBy: null, previousSecretExpiresAt: null };

it('replaces the secret, and counts the rotation', () => {
  expect(rotated(0, { secretGeneration: 4 })).toEqual({
    ...none,
    secretHash: 'new hash',
    secretSignedBy: 'new signer',
    secretGeneration: 5,
    previousSecretLastUsedAt: null,
  });
});

it('keeps the previous secret until the overlap ends', () => {
  expect(rotated(60)).toMatchObject({
    previousSecretHash: 'old hash',
    previousSecretSignedBy: 'old signer',
    previousSecretExpiresAt: inSeconds(60),
  });
});

it.each([
  ['the key expires first', 59, 59],
  ['the overlap ends first', 61, 60],
])('ends the overlap when %s', (_, expirySeconds, endSeconds) => {
  const { previousSecretExpiresAt } = rotated(60, { expiresAt: inSeconds(expirySeconds) });
  expect(previousSecretExpiresAt).toEqual(inSeconds(endSeconds));
});

it('ends an earlier overlap, with or without a new one', () => {
  const earlier = {
    previousSecretHash: 'older hash',
    previousSecretSignedBy: 'older signer',
    previousSecretExpiresAt: inSeconds(3_600),
    previousSecretLastUsedAt: inSeconds(-1),
  };
  expect(rotated(0, earlier)).toMatchObject({ ...none, previousSecretLastUsedAt: null });
  expect(rotated(60, earlier)).toMatchObject({ previousSecretHash: 'old hash', previousSecretLastUsedAt: null });
});
