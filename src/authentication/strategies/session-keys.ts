import { createPublicKey, KeyObject, type webcrypto } from 'node:crypto';
import {
  compactVerify,
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWSHeaderParameters,
} from 'jose';
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

/** So long a key set that could not be fetched is not asked for again: each try may take seconds. */
const FAILURE_REMEMBERED_MS = 1_000;

type FindKey = (header: JWSHeaderParameters, token: string) => Promise<KeyObject>;

function oneKey(pem: string): FindKey {
  const key = Promise.resolve(createPublicKey(pem));
  return () => key;
}

/** A JSON Web Key Set (RFC 7517): kept, and fetched again for an unknown `kid`, but not over and over. */
function fromJwks(url: string): FindKey {
  const keySet = createRemoteJWKSet(new URL(url), { timeoutDuration: 3_000, cooldownDuration: 10_000 });
  let failedAt = Number.NEGATIVE_INFINITY;
  return async (header, token) => {
    if (!keySet.fresh && performance.now() - failedAt < FAILURE_REMEMBERED_MS) throw keysAway();
    try {
      return strong(KeyObject.from(await keySet(header)));
    } catch (error) {
      if (error instanceof UnauthenticatedError) throw error;
      if (error instanceof errors.JWKSMultipleMatchingKeys) return firstThatFits(error, token);
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JOSENotSupported) throw refused();
      failedAt = performance.now();
      throw keysAway(error);
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
    if (fits) return strong(KeyObject.from(key));
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
    // Throws unless the claims are an object, which `jsonwebtoken` takes for granted
    decodeJwt(token);
    return decodeProtectedHeader(token);
  } catch {
    return undefined;
  }
}

/** RFC 7518, 3.3: RSA keys of 2048 bits or more. */
function strong(key: KeyObject): KeyObject {
  if ((key.asymmetricKeyDetails?.modulusLength ?? 2048) < 2048) throw refused();
  return key;
}

function keysAway(cause?: unknown): UnavailableError {
  const message = 'The keys that sessions are verified with cannot be fetched. Try again in a moment.';
  return new UnavailableError(message, { cause });
}

function refused(): UnauthenticatedError {
  return new UnauthenticatedError('INVALID_CREDENTIALS');
}
