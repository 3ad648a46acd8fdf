import { createPublicKey, KeyObject, type webcrypto } from 'node:crypto';
import { compactVerify, createRemoteJWKSet, decodeProtectedHeader, errors, type JWSHeaderParameters } from 'jose';
import type { SessionSettings } from '../../config/environment.js';
import { UnavailableError } from '../../contract/api-error.js';
import { UnauthenticatedError } from '../errors.js';

/**
 * Finds the public key that a token has to be verified with.
 *
 * @throws UnauthenticatedError if no key can fit, UnavailableError if the keys cannot be fetched
 */
export type SessionKeys = (token: string) => Promise<KeyObject>;

export function createSessionKeys(source: SessionSettings['keySource']): SessionKeys {
  const find = 'publicKey' in source ? oneKey(source.publicKey) : fromJwks(source.jwksUrl);
  return (token) => find(readableHeader(token), token);
}

type FindKey = (header: JWSHeaderParameters, token: string) => Promise<KeyObject>;

function oneKey(pem: string): FindKey {
  const key = Promise.resolve(createPublicKey(pem));
  return () => key;
}

/** A JSON Web Key Set (RFC 7517): kept, and fetched again for an unknown `kid`, but not over and over. */
function fromJwks(url: string): FindKey {
  const keySet = createRemoteJWKSet(new URL(url), { timeoutDuration: 3_000, cooldownDuration: 10_000 });
  return async (header, token) => {
    try {
      return KeyObject.from(await keySet(header));
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return firstThatFits(error, token);
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JOSENotSupported) throw refused();
      throw new UnavailableError('The keys that sessions are verified with cannot be fetched. Try again in a moment.');
    }
  };
}

/** The account service names no `kid`: while its keys are being rotated, more than one may be meant. */
async function firstThatFits(candidates: AsyncIterable<webcrypto.CryptoKey>, token: string): Promise<KeyObject> {
  for await (const key of candidates) {
    const fits = await compactVerify(token, key).then(
      () => true,
      () => false,
    );
    if (fits) return KeyObject.from(key);
  }
  throw refused();
}

/** `crit` lists extensions that must be understood (RFC 7515, 4.1.11); we understand none. */
function readableHeader(token: string): JWSHeaderParameters {
  const header = decodedHeader(token);
  if (!header || header.crit !== undefined) throw refused();
  return header;
}

function decodedHeader(token: string): JWSHeaderParameters | undefined {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return undefined;
  }
}

function refused(): UnauthenticatedError {
  return new UnauthenticatedError('INVALID_CREDENTIALS');
}
