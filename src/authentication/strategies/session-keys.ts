import { createPublicKey, KeyObject, type webcrypto } from 'node:crypto';
import { compactVerify, decodeJwt, decodeProtectedHeader, errors, type JWSHeaderParameters } from 'jose';
import type { SessionSettings } from '../../config/environment.js';
import type { Clock } from '../../config/clock.js';
import { UnauthenticatedError } from '../errors.js';
import { RemoteKeySet } from './remote-key-set.js';

/**
 * Finds the public key that a token has to be verified with.
 *
 * @throws UnauthenticatedError if no key can fit, UnavailableError if the keys cannot be fetched
 */
export type SessionKeys = (token: string) => Promise<KeyObject>;

export function createSessionKeys(settings: SessionSettings, clock: Clock): SessionKeys {
  const { keySource: source, keySetMaxAgeSeconds: maxAge } = settings;
  const find =
    'publicKeys' in source ? ofPems(source.publicKeys) : fromJwks(new RemoteKeySet(source.jwksUrl, maxAge, clock));
  return (token) => find(readableHeader(token), token);
}

type FindKey = (header: JWSHeaderParameters, token: string) => Promise<KeyObject>;

/** While the account service's key is being replaced there are two, of which the one counts that the token was signed with. */
function ofPems(pems: readonly string[]): FindKey {
  const keys = pems.map((pem) => createPublicKey(pem));
  const [only, ...others] = keys;
  if (only && others.length === 0) return () => Promise.resolve(only);
  return (_header, token) => firstThatFits(keys, token);
}

function fromJwks(keySet: RemoteKeySet): FindKey {
  return async (header, token) => {
    try {
      return strong(KeyObject.from(await keySet.find(header)));
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys)
        return strong(await firstThatFits(keyObjects(error), token));
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JOSENotSupported) throw refused();
      throw error;
    }
  };
}

async function* keyObjects(keys: AsyncIterable<webcrypto.CryptoKey>): AsyncIterable<KeyObject> {
  for await (const key of keys) yield KeyObject.from(key);
}

/** The account service names no `kid`: while its keys are being rotated, more than one may be meant. */
async function firstThatFits(
  candidates: Iterable<KeyObject> | AsyncIterable<KeyObject>,
  token: string,
): Promise<KeyObject> {
  for await (const key of candidates) {
    const fits = await compactVerify(token, key).then(
      () => true,
      () => false,
    );
    if (fits) return key;
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

function refused(): UnauthenticatedError {
  return new UnauthenticatedError('INVALID_CREDENTIALS');
}
