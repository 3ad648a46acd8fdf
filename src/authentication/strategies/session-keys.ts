import jwt from 'jsonwebtoken';
import { JwksClient, SigningKeyNotFoundError } from 'jwks-rsa';
import type { SessionSettings } from '../../config/environment.js';
import { UnavailableError } from '../../contract/api-error.js';
import { UnauthenticatedError } from '../errors.js';

/** Finds the public key that a token has to be verified with. */
export interface SessionKeys {
  /**
   * @returns the key in PEM
   * @throws UnauthenticatedError if no key can fit, UnavailableError if the keys cannot be fetched
   */
  keyFor(token: string): Promise<string>;
}

export function createSessionKeys(source: SessionSettings['keySource']): SessionKeys {
  const find = 'publicKey' in source ? () => Promise.resolve(source.publicKey) : fromJwks(source.jwksUrl);
  return { keyFor: async (token) => find(readableHeader(token).kid) };
}

/** A JSON Web Key Set (RFC 7517), fetched when an unknown `kid` comes along, at most ten times a minute. */
function fromJwks(jwksUri: string): (kid: string | undefined) => Promise<string> {
  const client = new JwksClient({ jwksUri, cache: true, rateLimit: true, jwksRequestsPerMinute: 10, timeout: 5_000 });
  return async (kid) => {
    try {
      return (await client.getSigningKey(kid)).getPublicKey();
    } catch (error) {
      if (error instanceof SigningKeyNotFoundError) throw new UnauthenticatedError('INVALID_CREDENTIALS');
      throw new UnavailableError('The keys that sessions are verified with cannot be fetched. Try again in a moment.');
    }
  };
}

/** `crit` lists extensions that must be understood (RFC 7515, 4.1.11); we understand none. */
function readableHeader(token: string): jwt.JwtHeader {
  const header = decodeHeader(token);
  const isReadable = header && !('crit' in header) && ['string', 'undefined'].includes(typeof header.kid);
  if (!isReadable) throw new UnauthenticatedError('INVALID_CREDENTIALS');
  return header;
}

function decodeHeader(token: string): jwt.JwtHeader | undefined {
  try {
    return jwt.decode(token, { complete: true })?.header;
  } catch {
    return undefined;
  }
}
