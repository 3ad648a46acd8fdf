import type { IncomingMessage } from 'node:http';
import type { KeyPair } from '../api-keys/credentials.js';
import { headerValues } from '../contract/header-values.js';
import { AmbiguousCredentialsError, UnauthenticatedError } from './errors.js';

/** What a request presents: a session's token, or a key pair. */
export type PresentedCredentials = { token: string } | { pair: KeyPair };

/** The header names as the documentation writes them and as scripts do. */
const API_KEY_HEADERS = ['pinning_api_key', 'pinning-api-key'];
const SECRET_KEY_HEADERS = ['pinning_secret_key', 'pinning-secret-key'];

/** A session token is well under 1 KiB; what is longer is refused before it is decoded. */
const LONGEST_TOKEN = 8_192;
const BEARER = /^Bearer +([\w.~+/-]+=*) *$/i;

/**
 * Reads the credentials from the headers, each of which may be there once: a request with two
 * of a kind is refused rather than read differently here and in a proxy.
 *
 * @throws AmbiguousCredentialsError, or UnauthenticatedError where nothing complete is presented
 */
export function presentedCredentials(request: IncomingMessage): PresentedCredentials {
  const authorization = single(request, ['authorization']);
  const apiKey = single(request, API_KEY_HEADERS);
  const secretKey = single(request, SECRET_KEY_HEADERS);
  if (authorization !== undefined && (apiKey ?? secretKey) !== undefined) {
    throw new AmbiguousCredentialsError('Present either a session or a key pair, not both.');
  }
  if (authorization !== undefined) return { token: bearerToken(authorization) };
  if (apiKey === undefined && secretKey === undefined) throw new UnauthenticatedError('INVALID_CREDENTIALS', HOW_TO);
  return { pair: { apiKey: apiKey ?? '', secretKey: secretKey ?? '' } };
}

const HOW_TO =
  'Present a session (Authorization: Bearer <token>) or a key pair (the headers pinning_api_key and pinning_secret_key).';

function single(request: IncomingMessage, names: string[]): string | undefined {
  const values = headerValues(request, ...names);
  if (values.length > 1) throw new AmbiguousCredentialsError(`The header ${names[0]} is there more than once.`);
  return values[0];
}

/** RFC 6750, section 2.1; the scheme's name is not case-sensitive (RFC 9110, 11.1). */
function bearerToken(authorization: string): string {
  const token = authorization.length <= LONGEST_TOKEN ? BEARER.exec(authorization)?.[1] : undefined;
  if (token === undefined) throw new UnauthenticatedError('INVALID_CREDENTIALS');
  return token;
}
