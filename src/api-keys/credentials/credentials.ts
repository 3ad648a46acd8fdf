import { hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { Hmac } from './hmac.js';

/**
 * The server keys that sign the tags: the first signs, all verify,
 * so that a key is replaced by putting its successor in front of it.
 */
export type CredentialKeys = readonly [CredentialKey, ...CredentialKey[]];

/** A server key for tags. Its bytes cannot be read back. */
interface CredentialKey {
  readonly hmac: Hmac;
  /** Identifies the server key without revealing it: 8 hex digits, derived by HKDF (RFC 5869). */
  readonly fingerprint: string;
}

/** @param bytes 32 of them */
export function credentialKey(bytes: Buffer): CredentialKey {
  return {
    hmac: new Hmac(bytes, API_KEY_LENGTH + SECRET_KEY_LENGTH - TAG_LENGTH),
    fingerprint: Buffer.from(hkdfSync('sha256', bytes, '', 'w3ipfs credential key fingerprint', 4)).toString('hex'),
  };
}

const API_KEY_LENGTH = 24;
const SECRET_KEY_LENGTH = 44;
const TAG_LENGTH = 10;
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const API_KEY = /^w3k_[0-9A-Za-z]{20}$/;
const SECRET_KEY = /^w3s_[0-9A-Za-z]{40}$/;
/** Finds half a pair within a text. */
export const IN_TEXT = {
  apiKey: /w3k_[0-9A-Za-z]{20}(?![0-9A-Za-z])/,
  secretKey: /w3s_[0-9A-Za-z]{40}(?![0-9A-Za-z])/,
};

/** Whether a text has the shape of an `api_key`. */
export function isApiKey(text: string | undefined): text is KeyPair['apiKey'] {
  return text !== undefined && API_KEY.test(text);
}

export function mintApiKey(): KeyPair['apiKey'] {
  return `w3k_${randomBase62(20)}`;
}

/** A new secret for the key: 30 random base62 characters, 178 bits, and their tag under the first server key. */
export function mintSecretKey(apiKey: string, [signingKey]: CredentialKeys): KeyPair['secretKey'] {
  const untagged = `w3s_${randomBase62(30)}`;
  return untagged + tagOf(apiKey, untagged, signingKey);
}

/**
 * Whether the pair was minted under one of the server keys. It costs microseconds and touches
 * neither the database nor argon2: a shield against typing errors, guesses and floods.
 * It says nothing about the key's existence or state, and does not replace verifying the secret.
 */
export function isGenuine(pair: KeyPair, keys: CredentialKeys): boolean {
  return signerOf(pair, keys) !== undefined;
}

/** The server key that signed the pair; `undefined` if none of these did. */
export function signerOf({ apiKey, secretKey }: KeyPair, keys: CredentialKeys): CredentialKey | undefined {
  if (!isApiKey(apiKey) || !SECRET_KEY.test(secretKey)) return undefined;
  const untagged = secretKey.slice(0, -TAG_LENGTH);
  const tag = Buffer.from(secretKey.slice(-TAG_LENGTH));
  return keys.find((key) => timingSafeEqual(Buffer.from(tagOf(apiKey, untagged, key)), tag));
}

/** The HMAC over both parts, whose lengths are fixed, truncated to ten base62 characters. */
function tagOf(apiKey: string, untagged: string, key: CredentialKey): string {
  const mac = key.hmac.digest(apiKey + untagged);
  return base62(mac.readUIntBE(0, 6)) + base62(mac.readUIntBE(6, 6));
}

/** The last five base62 digits of a 48-bit number, which carry less than 2^-18 of bias. */
function base62(value: number): string {
  let digits = '';
  for (let rest = value; digits.length < TAG_LENGTH / 2; rest = Math.floor(rest / 62)) {
    digits = BASE62.charAt(rest % 62) + digits;
  }
  return digits;
}

/** Uniform characters: bytes from 248 on are rejected, since 256 is no multiple of 62. */
function randomBase62(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(2 * (length - text.length))) {
      if (byte < 248 && text.length < length) text += BASE62.charAt(byte % 62);
    }
  }
  return text;
}
