import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InvalidValueError } from './invalid-value.js';

const PEM = /-----BEGIN ([A-Z\d ]+)-----(.*?)-----END \1-----/gs;
/** The line length of RFC 7468. */
const PEM_LINE = /.{1,64}/g;
/** Longer than any file name. */
const BASE64 = /^[A-Za-z\d+/\s]{256,}=*$/;

/**
 * Reads public keys from a text of one or more PEMs, or from the file at that path. Restores line breaks that were lost
 * on the way (written as `\n` or `\r\n`, replaced by spaces, indented).
 *
 * @throws InvalidValueError
 */
export function readPublicKeys(given: string): string[] {
  const text = given.includes('-----BEGIN') ? given : readKeyFile(given);
  if (text.includes('PRIVATE KEY'))
    throw new InvalidValueError('must be a public key: keep the private key with its signer');
  const pems = [...text.matchAll(PEM)].map(([, label = '', body = '']) => formatPem(label, body));
  try {
    if (pems.length === 0 || pems.length !== text.split('-----BEGIN').length - 1) throw new Error('incomplete PEM');
    return pems.map((key) => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString());
  } catch {
    throw new InvalidValueError('must be one or more public keys in PEM, or the path of a file that contains them');
  }
}

function readKeyFile(file: string): string {
  if (BASE64.test(file)) throw new InvalidValueError('must be in PEM, with its BEGIN and END lines, not base64 alone');
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InvalidValueError(`must be a public key in PEM, or the path of a readable file (${code})`);
  }
}

function formatPem(label: string, body: string): string {
  const base64 = body.replaceAll(/\\[nr]|\s/g, '');
  return [`-----BEGIN ${label}-----`, ...(base64.match(PEM_LINE) ?? []), `-----END ${label}-----`, ''].join('\n');
}
