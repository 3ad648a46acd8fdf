/**
 * Who is calling: a session token, a service token, or an API key, either in one string (its `credential`) or as a pair.
 * All are sent as `Authorization: Bearer`.
 */
export type Credentials = string | { apiKey: string; secretKey: string };

/** Credentials, or a function that gives the present ones, called for each request. */
export type CredentialsSource = Credentials | (() => Credentials | Promise<Credentials>);

/** @throws TypeError that does not show them, if they cannot be sent in a header */
export async function authorizationOf(source: CredentialsSource): Promise<string> {
  const credentials = typeof source === 'function' ? await source() : source;
  const token = typeof credentials === 'string' ? credentials : `${credentials.apiKey}.${credentials.secretKey}`;
  if (!/^[\x21-\x7e]+$/.test(token.trim())) {
    throw new TypeError('The credentials are empty, or contain characters that no header can carry');
  }
  return `Bearer ${token.trim()}`;
}
