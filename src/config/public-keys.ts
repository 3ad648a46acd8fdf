import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { InvalidValueError } from './invalid-value.js';

const PEM = /-----BEGIN ([A-Z\d ]+)-----(.*?)-----END \1-----/gs;
/** As RFC 7468 has it. */
const PEM_LINE = /.{1,64}/g;
/** Longer than any name of a file. */
const BASE64 = /^[A-Za-z\d+/\s]{256,}=*$/;

/**
 * The public keys in a text: a PEM, or several, one after the other; or in the file that it names. However its lines were
 * broken on their way here (as `\n`, as `\r\n`, as blanks, indented), they are mended.
 *
 * @throws InvalidValueError
 */
export function readPublicKeys(given: string): string[] {
  const text = given.includes('-----BEGIN') ? given : readKeyFile(given);
  if (text.includes('PRIVATE KEY'))
    throw new InvalidValueError('must be the public key: keep the private one with its signer');
  const pems = [...text.matchAll(PEM)].map(([, label = '', body = '']) => formatPem(label, body));
  try {
    if (pems.length === 0 || pems.length !== text.split('-----BEGIN').length - 1) throw new Error('a part of a PEM');
    return pems.map((key) => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString());
  } catch {
    throw new InvalidValueError('must be a public key in PEM, or several, or the path of a file that holds them');
  }
}

function readKeyFile(file: string): string {
  if (BASE64.test(file))
    throw new InvalidValueError('must be in PEM, with its first and last line, and not in base64 alone');
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InvalidValueError(`must be a public key in PEM, or the path of a file that can be read (${code})`);
  }
}

function formatPem(label: string, body: string): string {
  const base64 = body.replaceAll(/\\[nr]|\s/g, '');
  return [`-----BEGIN ${label}-----`, ...(base64.match(PEM_LINE) ?? []), `-----END ${label}-----`, ''].join('\n');
}
