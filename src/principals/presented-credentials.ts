import type { IncomingMessage } from 'node:http';
import { isCredential, type KeyPair, pairOfCredential } from './key-pair.js';
import { headerValues } from '../http/header-values.js';
import { AmbiguousCredentialsError, UnauthenticatedError } from './refusal-errors.js';

/** What a request presents: a session's token, or a key pair. */
export type PresentedCredentials = { token: string } | { pair: KeyPair };

/** A key pair of which something may be missing. */
type Halves = { [half in keyof KeyPair]: KeyPair[half] | undefined };

/** The header names as the documentation writes them and as scripts do. */
const API_KEY_HEADERS = ['pinning_api_key', 'pinning-api-key'];
const SECRET_KEY_HEADERS = ['pinning_secret_key', 'pinning-secret-key'];

/** A session token is well under 1 KiB; what is longer is refused before it is decoded. */
const MAX_AUTHORIZATION_LENGTH = 8_192;
/** RFC 6750, section 2.1; the scheme's name is not case-sensitive (RFC 9110, 11.1). */
const BEARER = /^Bearer +([\w.~+/-]+=*) *$/i;
/** RFC 7617, section 2. */
const BASIC = /^Basic +([A-Za-z0-9+/]+=*) *$/i;
/** Header, claims and signature (RFC 7515, 7.1); an unsigned token has no signature, and is refused as well. */
const SIGNED_TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const HOW_TO =
  'Present a session (Authorization: Bearer <JWT>) or an API key: the headers pinning_api_key and pinning_secret_key, ' +
  'Authorization: Bearer <api_key>.<secret_key>, or HTTP Basic.';
const TWO_WAYS =
  'Present your credentials in one way: the header Authorization, or the headers pinning_api_key and pinning_secret_key.';
const NO_SCHEME =
  'The header Authorization must begin with "Bearer " (a session or a credential) or "Basic " (api_key and secret_key).';
const SCHEME_ALONE =
  'In the header Authorization, nothing follows the scheme: a session or a credential (<api_key>.<secret_key>) has to ' +
  'follow "Bearer ", and both parts with a colon between them, in base64, "Basic ".';
const NO_DOT =
  'In a bearer credential, a dot is between the api_key and the secret_key: Bearer <api_key>.<secret_key>. With a colon ' +
  'between them, and in base64, they go behind "Basic ".';
const NO_BEARER =
  'What follows "Bearer " must be one session (a JWT) or one credential (<api_key>.<secret_key>), without blanks or ' +
  'commas in it.';
const NO_BASIC = 'What follows "Basic " must be the base64 of <api_key>:<secret_key> (RFC 7617).';
const NO_TOKEN =
  'The bearer token is neither a session (a JWT) nor a credential (<api_key>.<secret_key>). ' +
  'A service token is taken by the routes for services alone, like POST /api/apiKeys/verify.';
const IN_HEADERS = { apiKey: 'the header pinning_api_key', secretKey: 'the header pinning_secret_key' };
const IN_CREDENTIAL = { apiKey: 'the api_key', secretKey: 'the secret_key, behind the api_key and a dot' };
const IN_BASIC = { apiKey: 'the api_key, as the user', secretKey: 'the secret_key, as the password' };
const TOO_LONG = `The header Authorization is longer than ${MAX_AUTHORIZATION_LENGTH} characters.`;

/**
 * Reads the credentials from the headers, each of which may be there once: a request with two
 * of a kind is refused rather than read differently here and in a proxy.
 *
 * @throws AmbiguousCredentialsError, or UnauthenticatedError where nothing complete is presented, naming what is missing
 */
export function presentedCredentials(request: IncomingMessage): PresentedCredentials {
  // An empty one presents nothing: some clients send it in place of none
  const authorization = single(request, ['authorization']) || undefined;
  const apiKey = single(request, API_KEY_HEADERS);
  const secretKey = single(request, SECRET_KEY_HEADERS);
  const hasPair = apiKey !== undefined || secretKey !== undefined;
  if (authorization !== undefined && hasPair) throw new AmbiguousCredentialsError(TWO_WAYS);
  if (authorization !== undefined) return readAuthorization(authorization);
  if (!hasPair) throw refused(HOW_TO);
  return complete({ apiKey, secretKey }, IN_HEADERS);
}

function single(request: IncomingMessage, names: string[]): string | undefined {
  const values = headerValues(request, ...names);
  if (values.length > 1) throw new AmbiguousCredentialsError(`The header ${names[0]} is given more than once.`);
  return values[0];
}

function readAuthorization(authorization: string): PresentedCredentials {
  if (authorization.length > MAX_AUTHORIZATION_LENGTH) throw refused(TOO_LONG);
  const token = BEARER.exec(authorization)?.[1];
  if (token !== undefined) return readBearer(token);
  const encoded = BASIC.exec(authorization)?.[1];
  if (encoded === undefined) throw refused(faultOf(authorization));
  return complete(basicPair(encoded), IN_BASIC);
}

/** What is wrong with a header that is neither of the two. */
function faultOf(authorization: string): string {
  const [, scheme, blanks, value] = /^(bearer|basic)(?=$| )( *)(.*)$/i.exec(authorization) ?? [];
  if (scheme === undefined || blanks === undefined) return NO_SCHEME;
  if (!value) return SCHEME_ALONE;
  if (scheme.toLowerCase() === 'basic') return NO_BASIC;
  return /^w3k_\w*:/.test(value) ? NO_DOT : NO_BEARER;
}

function readBearer(token: string): PresentedCredentials {
  if (isCredential(token)) return complete(pairOfCredential(token), IN_CREDENTIAL);
  if (!SIGNED_TOKEN.test(token)) throw refused(NO_TOKEN);
  return { token };
}

/** The user's name has no colon, the password may (RFC 7617, section 2). */
function basicPair(encoded: string): KeyPair {
  const text = Buffer.from(encoded, 'base64').toString('latin1');
  const colon = text.indexOf(':');
  return colon < 0
    ? { apiKey: text, secretKey: '' }
    : { apiKey: text.slice(0, colon), secretKey: text.slice(colon + 1) };
}

/** @param names what a refusal calls the two halves */
function complete({ apiKey, secretKey }: Halves, names: KeyPair): PresentedCredentials {
  if (apiKey && secretKey) return { pair: { apiKey, secretKey } };
  const missing = [apiKey ? [] : [names.apiKey], secretKey ? [] : [names.secretKey]].flat();
  throw refused(`Of the API key, this is missing: ${missing.join(', and ')}.`);
}

function refused(message: string): UnauthenticatedError {
  return new UnauthenticatedError('INVALID_CREDENTIALS', message);
}
