import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { CredentialHeaders } from './credential-headers.js';
import { isCredential, type KeyPair, pairOfCredential } from './key-pair.js';

/** The credentials of a request: a session's token, or a key pair. */
export type PresentedCredentials = { token: string } | { pair: KeyPair };

/** Why the credentials of a request can't be read: there are none, more than one (`ambiguous`), or unreadable ones. */
export class CredentialsProblem {
  constructor(
    readonly kind: 'missing' | 'ambiguous' | 'invalid',
    /** What is wrong and what to send instead; never a piece of what was presented. */
    readonly message: string,
  ) {}
}

/** What the headers of a request present. */
type Credentials = PresentedCredentials | CredentialsProblem;

/** The headers of a request, as Node parses them. */
export type RequestHeaders = Pick<IncomingMessage, 'headers' | 'headersDistinct' | 'rawHeaders'>;

/** A key pair, possibly incomplete. */
type Halves = { [half in keyof KeyPair]: KeyPair[half] | undefined };

/** A session token is well under 1 KiB; longer values are rejected before decoding. */
const MAX_AUTHORIZATION_LENGTH = 8_192;
/** RFC 6750, section 2.1; the scheme's name is not case-sensitive (RFC 9110, 11.1). */
const BEARER = /^Bearer +([\w.~+/-]+=*) *$/i;
/** RFC 7617, section 2. */
const BASIC = /^Basic +([A-Za-z0-9+/]+=*) *$/i;
/** Header, claims and signature (RFC 7515, 7.1); an unsigned token lacks the signature and is rejected too. */
const SIGNED_TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** How to present an API key; the end of a sentence. */
export const API_KEY_FORMS =
  'an API key: the headers pinning_api_key and pinning_secret_key, Authorization: Bearer <api_key>.<secret_key>, or HTTP ' +
  'Basic.';
const HOW_TO = `Present a session (Authorization: Bearer <JWT>) or ${API_KEY_FORMS}`;
const TWO_WAYS =
  'Present your credentials in one way: the header Authorization, or the headers pinning_api_key and pinning_secret_key.';
const NO_SCHEME =
  'The header Authorization must begin with "Bearer " (a session or a credential) or "Basic " (api_key and secret_key).';
const SCHEME_ALONE =
  'In the header Authorization, nothing follows the scheme: send a session or a credential (<api_key>.<secret_key>) ' +
  'after "Bearer ", or the base64 of <api_key>:<secret_key> after "Basic ".';
const NO_DOT =
  'In a bearer credential, a dot is between the api_key and the secret_key: Bearer <api_key>.<secret_key>. For the ' +
  'form with a colon, send its base64 after "Basic ".';
const NO_BEARER =
  'After "Bearer ", send one session (a JWT) or one credential (<api_key>.<secret_key>), without blanks or commas.';
const NO_BASIC = 'After "Basic ", send the base64 of <api_key>:<secret_key> (RFC 7617).';
const NO_TOKEN =
  'The bearer token is neither a session (a JWT) nor a credential (<api_key>.<secret_key>). ' +
  'Service tokens are only for the routes for services, such as POST /api/apiKeys/verify.';
const IN_HEADERS = { apiKey: 'the header pinning_api_key', secretKey: 'the header pinning_secret_key' };
const IN_CREDENTIAL = { apiKey: 'the api_key', secretKey: 'the secret_key, behind the api_key and a dot' };
const IN_BASIC = { apiKey: 'the api_key, as the user', secretKey: 'the secret_key, as the password' };
const TOO_LONG = `The header Authorization is longer than ${MAX_AUTHORIZATION_LENGTH} characters.`;

/**
 * Reads the credentials from the headers, each of which may be sent once: a repeated one is rejected, since a proxy could
 * read the other value.
 */
export function credentialsIn({ rawHeaders }: Pick<RequestHeaders, 'rawHeaders'>): Credentials {
  return readCredentials(CredentialHeaders.received(rawHeaders));
}

/** The same, from nothing but headers; a list is a repeated header. */
export function credentialsInHeaders(headers: IncomingHttpHeaders): Credentials {
  return readCredentials(CredentialHeaders.given(headers));
}

function readCredentials({ authorization, apiKey, secretKey, repeated }: CredentialHeaders): Credentials {
  if (repeated !== undefined)
    return new CredentialsProblem('ambiguous', `The header ${repeated} is given more than once.`);
  const hasPair = apiKey !== undefined || secretKey !== undefined;
  // An empty Authorization counts as none: some clients send it without credentials
  if (!authorization)
    return hasPair ? complete({ apiKey, secretKey }, IN_HEADERS) : new CredentialsProblem('missing', HOW_TO);
  return hasPair ? new CredentialsProblem('ambiguous', TWO_WAYS) : readAuthorization(authorization);
}

function readAuthorization(authorization: string): Credentials {
  if (authorization.length > MAX_AUTHORIZATION_LENGTH) return rejected(TOO_LONG);
  const token = BEARER.exec(authorization)?.[1];
  if (token !== undefined) return readBearer(token);
  const encoded = BASIC.exec(authorization)?.[1];
  if (encoded === undefined) return rejected(problemOf(authorization));
  return complete(basicPair(encoded), IN_BASIC);
}

/** The problem of an Authorization that is neither Bearer nor Basic. */
function problemOf(authorization: string): string {
  const [, scheme, blanks, value] = /^(bearer|basic)(?=$| )( *)(.*)$/i.exec(authorization) ?? [];
  if (scheme === undefined || blanks === undefined) return NO_SCHEME;
  if (!value) return SCHEME_ALONE;
  if (scheme.toLowerCase() === 'basic') return NO_BASIC;
  return /^w3k_\w*:/.test(value) ? NO_DOT : NO_BEARER;
}

function readBearer(token: string): Credentials {
  if (isCredential(token)) return complete(pairOfCredential(token), IN_CREDENTIAL);
  if (!SIGNED_TOKEN.test(token)) return rejected(NO_TOKEN);
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

/** @param names of the two halves, for the error message */
function complete({ apiKey, secretKey }: Halves, names: KeyPair): Credentials {
  if (apiKey && secretKey) return { pair: { apiKey, secretKey } };
  const missing = [apiKey ? [] : [names.apiKey], secretKey ? [] : [names.secretKey]].flat();
  return rejected(`The API key is incomplete; missing: ${missing.join(', and ')}.`);
}

function rejected(message: string): CredentialsProblem {
  return new CredentialsProblem('invalid', message);
}
