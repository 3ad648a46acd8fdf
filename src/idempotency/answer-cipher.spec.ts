import { answerKey, AnswerCipher } from './answer-cipher.js';

const serverKey = answerKey(Buffer.alloc(32, 1));
const cipher = new AnswerCipher(serverKey, ['ann', '', 'create'], 'a word');
const text = JSON.stringify({ secret_key: 'w3s_a secret', name: '\u{1f511}' });

it('decrypts its own output, and that of a cipher with the same parameters', () => {
  const same = new AnswerCipher(answerKey(Buffer.alloc(32, 1)), ['ann', '', 'create'], 'a word');
  expect(same.decrypt(cipher.encrypt(text))).toBe(text);
  expect(same.id).toEqual(cipher.id);
  expect(same.fingerprint({ name: 'x' })).toEqual(cipher.fingerprint({ name: 'x' }));
});

it('encrypts the same text differently each time', () => {
  expect(cipher.encrypt(text)).not.toEqual(cipher.encrypt(text));
});

it.each([
  ['another Idempotency-Key', serverKey, ['ann', '', 'create'], 'a Word'],
  ['another server key', answerKey(Buffer.alloc(32, 2)), ['ann', '', 'create'], 'a word'],
  ['another owner', serverKey, ['bob', '', 'create'], 'a word'],
  ['another caller', serverKey, ['ann', 'key', 'create'], 'a word'],
  ['another call', serverKey, ['ann', '', 'rotate', 'create'], 'a word'],
  ['the same words, split differently', serverKey, ['ann', ''], 'createa word'],
])('cannot be decrypted with %s', (_, key, scope, idempotencyKey) => {
  const other = new AnswerCipher(key, scope, idempotencyKey);
  expect(other.id).not.toEqual(cipher.id);
  expect(other.fingerprint({ name: 'x' })).not.toEqual(cipher.fingerprint({ name: 'x' }));
  expect(() => other.decrypt(cipher.encrypt(text))).toThrow('unable to authenticate data');
});

it('rejects modified ciphertext at any position', () => {
  const encrypted = cipher.encrypt(text);
  for (const index of [0, 12, 20, encrypted.length - 1]) {
    const altered = Buffer.from(encrypted);
    altered[index] = (altered[index] as number) ^ 1;
    expect(() => cipher.decrypt(altered)).toThrow('unable to authenticate data');
  }
  expect(() => cipher.decrypt(encrypted.subarray(0, -1))).toThrow('unable to authenticate data');
});

it('reveals neither its parameters nor the plaintext', () => {
  const all = Buffer.concat([cipher.id, cipher.fingerprint({ name: 'x' }), cipher.encrypt(text)]).toString('latin1');
  for (const part of ['a word', 'ann', 'create', 'w3s_', 'secret']) expect(all).not.toContain(part);
});
